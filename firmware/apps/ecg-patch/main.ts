// The reference ECG patch: reads its front end, finds heart beats, reports each beat and each fault.
//
// Reports: "beat" {t, rr, bpm, fault} (patch.ts). With config `reports` "all" also "notify" {uuid, value}, the bytes of
// the Heart Rate Measurement, and "end" {beats, faults} when the record is over; with `trace` > 0 also "trace".
// Config `input`: "serial" is a front end on the serial port `port`; "synthetic" needs no hardware; "auto" takes the
// serial port, and the synthetic ECG when nothing at all has come from it 100 ms after start: a front end that sends
// damaged frames is there, and its faults are reported.

import Serial from "embedded:io/serial";
import config from "mc/config";
import { crc16 } from "pericard/crc";
import { reportingNotifier } from "pericard/profiles/notifier";
import { report } from "pericard/report";
import { type EcgClock, EcgSensor, type EcgSource } from "pericard/sensors/ecg/sensor";
import { SerialFrontEnd } from "pericard/sensors/ecg/serial-front-end";
import { SyntheticFrontEnd } from "pericard/sensors/ecg/synthetic-front-end";
import Time from "time";
import Timer from "timer";
import { Patch } from "./patch.ts";

const ATTACH_MS = 100;

const clock: EcgClock = {
	ticks: () => Time.microseconds / 1000,
	repeat: (callback, interval) => {
		const timer = Timer.repeat(callback, interval);
		return () => Timer.clear(timer);
	},
};

const all = config.reports === "all";

function start<Options extends object>(source: EcgSource<Options>): EcgSensor<Options> {
	const patch = new Patch({
		report,
		notify: all ? reportingNotifier(report) : undefined,
		trace: Number(config.trace),
	});
	const sensor = new EcgSensor<Options>({
		sensor: source,
		clock,
		onReadable() {
			const sample = this.sample();
			if (sample !== undefined) {
				patch.take(sample, this.format);
			}
		},
		onEnd() {
			patch.end();
			this.close();
			if (all) {
				report("end", { beats: patch.beats, faults: patch.faults });
			}
		},
	});
	sensor.configure({ interval: Number(config.interval) });
	return sensor;
}

function startSynthetic(): void {
	start({ io: SyntheticFrontEnd, heartRate: Number(config.heartRate), seed: Number(config.seed) });
}

function startSerial(otherwise: (() => void) | null): void {
	const sensor = start({
		io: SerialFrontEnd,
		serial: Serial,
		port: Number(config.port),
		baud: Number(config.baud),
		crc16,
	});
	if (otherwise !== null) {
		Timer.set(() => {
			if (!sensor.attached) {
				sensor.close();
				otherwise();
			}
		}, ATTACH_MS);
	}
}

switch (config.input) {
	case "serial":
		startSerial(null);
		break;
	case "synthetic":
		startSynthetic();
		break;
	case "auto":
		startSerial(startSynthetic);
		break;
	default:
		throw new RangeError(`config input is "${config.input}", expected serial, synthetic or auto`);
}
