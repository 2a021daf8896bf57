// Reference values as CoRIM (draft-ietf-rats-corim) in the profile for PSA tokens (draft-fdb-rats-psa-endorsements).
//
// One tag with one triple: the implementation ID, and a measurement for each software component of the token. The file is
// an unsigned CoRIM: who hands it on vouches for it, or wraps it into a signed one.

import { createHash } from "node:crypto";
import { CborTag, type CborValue, encode } from "../../firmware/attestation/codec/cbor.ts";
import type { Reference } from "./reference.ts";

/** The profile of the PSA endorsements, which their draft prescribes. */
export const psaProfile = "tag:arm.com,2025:psa#1.0.0";

/* Tags and keys by their names in the drafts. */
const taggedUnsignedCorim = 501;
const taggedConciseMid = 506;
const taggedBytes = 560;
const taggedUri = 32;
const corim = { id: 0, tags: 1, profile: 3, entities: 5 } as const;
const comid = { tagIdentity: 1, entities: 2, triples: 4 } as const;
const tagId = 0;
const entity = { name: 0, role: 2 } as const;
const role = { tagCreator: 0, manifestCreator: 1 } as const;
const referenceTriples = 0;
const environmentClass = 0;
const classId = 0;
const measurement = { key: 0, value: 1 } as const;
const values = { version: 0, digests: 2, name: 11, cryptoKeys: 13 } as const;
const versionText = 0;

const componentKey = "psa.software-component";
const creator = "pericard build";

/** The CoRIM of reference values, in deterministic CBOR (RFC 8949, section 4.2.1). */
export function makeCorim(reference: Reference): Uint8Array {
	const bytes = (hex: string): CborTag => new CborTag(taggedBytes, Buffer.from(hex, "hex"));
	const measurements = reference.components.map(
		({ type, version, value }): CborValue =>
			new Map<number, CborValue>([
				[measurement.key, componentKey],
				[
					measurement.value,
					new Map<number, CborValue>([
						[values.version, new Map([[versionText, version]])],
						[values.digests, [["sha-256", Buffer.from(value, "hex")]]],
						[values.name, type],
						[values.cryptoKeys, [bytes(reference.signerId)]],
					]),
				],
			]),
	);
	const environment = new Map([[environmentClass, new Map([[classId, bytes(reference.implementationId)]])]]);
	const id = identifier(reference);
	const tag = new Map<number, CborValue>([
		[comid.tagIdentity, new Map([[tagId, `${id}/components`]])],
		[comid.entities, [entityMap(role.tagCreator)]],
		[comid.triples, new Map([[referenceTriples, [[environment, measurements]]]])],
	]);
	return encode(
		new CborTag(
			taggedUnsignedCorim,
			new Map<number, CborValue>([
				[corim.id, id],
				[corim.tags, [new CborTag(taggedConciseMid, encode(tag))]],
				[corim.profile, new CborTag(taggedUri, psaProfile)],
				[corim.entities, [entityMap(role.manifestCreator)]],
			]),
		),
	);
}

function entityMap(...roles: readonly number[]): CborValue {
	return new Map<number, CborValue>([
		[entity.name, creator],
		[entity.role, roles],
	]);
}

/* Equal for equal values and for no others. */
function identifier(reference: Reference): string {
	const { app, board, version } = reference;
	const hash = createHash("sha256").update(JSON.stringify(reference)).digest("hex");
	return `pericard/${board}/${app}/${version}/${hash.slice(0, 16)}`;
}
