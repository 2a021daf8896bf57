/* identity.c: the security lifecycle that the image and its board are in; see identity.h. */
#include "identity.h"

#include "hal.h"

uint16_t pc_identity_lifecycle(void) {
	return pc_identity.debug || !hal_debug_locked() ? PC_LIFECYCLE_NON_PSA_ROT_DEBUG : PC_LIFECYCLE_SECURED;
}
