// What of ES2022 the engine build does: chosen features, each with the result that the standard gives.

import "./language";
import "./library";
