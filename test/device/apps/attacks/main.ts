// A device worth attacking: what it gives depends on a constant in a module and on a C function.

import { report } from "pericard/report";
import Timer from "timer";
import { highestDose } from "./dose.ts";

const sensed: () => number = native("xs_attacks_sensed");

const tell = () => report("dose", { highest: highestDose(), sensed: sensed() });
tell();
Timer.repeat(tell, 50);
