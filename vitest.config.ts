// How vitest runs the tests: emulators are few at a time, and a test of a device may take a while.

import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		globalSetup: ["test/setup.ts"],
		// On-device tests are run on the device by tests of ours, not by vitest.
		exclude: ["test/**/apps/**", "test/device-app/**", "node_modules/**"],
		pool: "forks",
		maxWorkers: 3,
		minWorkers: 1,
		testTimeout: 120_000,
		hookTimeout: 300_000,
		reporters: process.env.CI === "true" ? ["verbose"] : ["default"],
	},
});
