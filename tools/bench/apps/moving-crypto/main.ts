// Every function of native/crypto in one image, for `pericard bench relocation`: they are called from outside, one by one.

import { report } from "pericard/report";

const kept: () => number = native("xs_bench_kept");

report("kept", kept());
