// From power-on to here: the first line of TypeScript that runs.

import { mark } from "pericard/bench";

mark();
