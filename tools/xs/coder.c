/*
 * coder.c: XS's coder, extended: a table of lines instead of debug codes in the code, the places of symbol indices, and
 * super() of native classes.
 *
 * XS marks lines by LINE codes that cost flash and time. We let the coder make them, and take them out of its list
 * before it optimises and lays out the code; so what is emitted is, byte for byte, what a compilation without debug
 * information emits. Each remaining code remembers its line, and once the layout is known the pairs (offset, line) are
 * the line table.
 *
 * The types of the coder are private to xsCode.c; that is why it is included here instead of being compiled by itself.
 */
#include <xsCode.c>

#include "xsc.h"

/*
 * XS keeps the depth of the operand stack in each code, for its own listing only. From our pass on the field holds the
 * line: fxCoderOptimize copies it into the codes that it makes, so lines survive the optimisation. A line of its own,
 * given to a single code while the tree is coded, carries this bit.
 */
#define OWN_LINE 0x40000000

typedef struct {
	txTargetCode *target; /* end of a function's body */
	int32_t line;         /* line of the code around the function */
} function_end;

static xsc_module *module_of(txCoder *coder) {
	return coder->parser->console;
}

/* The line in effect at the first line mark at or after `code`; a function body always begins with one. */
static int32_t line_ahead(const txByteCode *code, int32_t otherwise) {
	for (; code; code = code->nextCode) {
		if (code->id == XS_CODE_LINE) {
			return ((const txIndexCode *)code)->index;
		}
	}
	return otherwise;
}

static void take_debug_codes_out(txCoder *coder) {
	function_end *ends = NULL;
	size_t depth = 0, capacity = 0;
	int32_t line = 0;
	txByteCode **address = &coder->firstCode;
	txByteCode *code;
	while ((code = *address)) {
		if (code->id == XS_CODE_LINE) {
			line = ((txIndexCode *)code)->index;
			*address = code->nextCode;
			continue;
		}
		if (code->id == XS_CODE_FILE || code->id == XS_CODE_PROFILE) {
			*address = code->nextCode;
			continue;
		}
		if (depth > 0 && code == (txByteCode *)ends[depth - 1].target) {
			line = ends[--depth].line;
		}
		code->stackLevel = code->stackLevel & OWN_LINE ? code->stackLevel & ~OWN_LINE : line;
		if (code->id == XS_CODE_CODE_1) {
			if (depth == capacity) {
				capacity = capacity ? capacity * 2 : 64;
				ends = realloc(ends, capacity * sizeof(function_end));
				if (!ends) {
					xsc_out_of_memory();
				}
			}
			ends[depth].target = ((txBranchCode *)code)->target;
			ends[depth].line = line;
			depth++;
			if (coder->parser->flags & mxDebugFlag) {
				line = line_ahead(code->nextCode, line);
			}
		}
		coder->lastCode = code;
		address = &code->nextCode;
	}
	free(ends);
}

/* Limits that XS's encoding has but its coder does not check: beyond them it would emit damaged code. */
static void check_limits(txCoder *coder) {
	for (const txByteCode *code = coder->firstCode; code; code = code->nextCode) {
		if (code->id == XS_CODE_RESERVE_1 && ((const txIndexCode *)code)->index > 65534) {
			fxReportParserError(coder->parser, code->stackLevel, "too many variables in a function");
		}
		if (code->id == XS_CODE_BIGINT_1 && fxBigIntMeasure(&((txBigIntCode *)code)->bigint) > 65535) {
			fxReportParserError(coder->parser, code->stackLevel, "BigInt literal too long");
		}
		if (code->id == XS_CODE_HOST && ((const txIndexCode *)code)->index > 32767) {
			fxReportParserError(coder->parser, code->stackLevel, "too many natives in a module");
		}
	}
}

static void code_module(void *it, void *param) {
	txCoder *coder = param;
	fxModuleNodeCode(it, param);
	take_debug_codes_out(coder);
	check_limits(coder);
	module_of(coder)->first_code = coder->firstCode;
}

/* XS leaves a call over several lines at the line of its last argument; we give it the line of its parenthesis. */
static void code_params(void *it, void *param) {
	txNode *self = it;
	txCoder *coder = param;
	txByteCode *code = coder->lastCode;
	txByteCode *call = NULL;
	fxParamsNodeCode(it, param);
	for (; code; code = code->nextCode) {
		switch (code->id) {
		case XS_CODE_EVAL:
		case XS_CODE_EVAL_TAIL:
		case XS_CODE_RUN:
		case XS_CODE_RUN_1:
		case XS_CODE_RUN_TAIL:
		case XS_CODE_RUN_TAIL_1:
			call = code;
			break;
		default:
			break;
		}
	}
	if (call && self->line > 0 && (coder->parser->flags & mxDebugFlag)) {
		call->stackLevel = self->line | OWN_LINE;
	}
}

/*
 * A native class has no parent to call: super() makes the instance from new.target.prototype, and XS makes it a host
 * object because the prototype is one. Arguments are evaluated for their effects and dropped.
 */
static void code_native_super(void *it, void *param) {
	txSuperNode *self = it;
	txCoder *coder = param;
	const txAccessNode *fields = coder->classNode->instanceInitAccess;
	for (txNode *argument = ((txParamsNode *)self->params)->items->first; argument; argument = argument->next) {
		txNode *value = argument;
		if (value->description->token == XS_TOKEN_SPREAD) {
			value = ((txSpreadNode *)value)->expression;
		}
		if (value->description->token != XS_TOKEN_ACCESS) {
			fxNodeDispatchCode(value, coder);
			fxCoderAddByte(coder, -1, XS_CODE_POP);
		}
	}
	fxCoderAddByte(coder, 1, XS_CODE_TARGET);
	fxCoderAddSymbol(coder, 0, XS_CODE_GET_PROPERTY, coder->parser->prototypeSymbol);
	fxCoderAddByte(coder, 0, XS_CODE_INSTANTIATE);
	fxCoderAddByte(coder, 0, XS_CODE_SET_THIS);
	if (fields) {
		fxCoderAddByte(coder, 1, XS_CODE_GET_THIS);
		fxCoderAddIndex(coder, 1, XS_CODE_GET_CLOSURE_1, fields->declaration->index);
		fxCoderAddByte(coder, 1, XS_CODE_CALL);
		fxCoderAddInteger(coder, -2, XS_CODE_RUN_1, 0);
		fxCoderAddByte(coder, -1, XS_CODE_POP);
	}
}

/* A node is extended by giving it a description that differs from XS's in the function that codes it. */
static void extend(txNode *node, txNodeDescription *description, txNodeDispatch *dispatch, txNodeCall code) {
	if (!description->dispatch) {
		*dispatch = *node->description->dispatch;
		dispatch->code = code;
		*description = *node->description;
		description->dispatch = dispatch;
	}
	node->description = description;
}

void xsc_coder_extend_module(txNode *node) {
	static txNodeDescription description;
	static txNodeDispatch dispatch;
	extend(node, &description, &dispatch, code_module);
}

void xsc_coder_extend_params(txNode *node) {
	static txNodeDescription description;
	static txNodeDispatch dispatch;
	extend(node, &description, &dispatch, code_params);
}

void xsc_coder_extend_native_super(txNode *node) {
	static txNodeDescription description;
	static txNodeDispatch dispatch;
	extend(node, &description, &dispatch, code_native_super);
}

/* Bytes of a code once fxParserCode has chosen its width. */
static int32_t code_size(txByteCode *code) {
	int32_t size;
	switch (code->id) {
	case XS_NO_CODE:
		return 0;
	case XS_CODE_BIGINT_1:
	case XS_CODE_BIGINT_2:
		size = fxBigIntMeasure(&((txBigIntCode *)code)->bigint);
		return 1 - gxCodeSizes[code->id] + size;
	case XS_CODE_STRING_1:
	case XS_CODE_STRING_2:
	case XS_CODE_STRING_4:
		size = ((const txStringCode *)code)->length;
		return 1 - gxCodeSizes[code->id] + size;
	default:
		size = gxCodeSizes[code->id];
		return size ? size : (int32_t)(1 + sizeof(txID));
	}
}

bool xsc_coder_tables(xsc_module *module, const txScript *script) {
	int32_t offset = 0, line = 0;
	for (txByteCode *code = module->first_code; code; code = code->nextCode) {
		int32_t size = code_size(code);
		if (size == 0) {
			continue;
		}
		if (code->stackLevel > 0 && code->stackLevel != line) {
			line = code->stackLevel;
			xsc_add_integer(&module->lines, offset);
			xsc_add_integer(&module->lines, line);
		}
		if (gxCodeSizes[code->id] == 0) {
			const txSymbol *symbol = ((const txSymbolCode *)code)->symbol;
			if (symbol && symbol->string) {
				xsc_add_integer(&module->ids, offset + 1);
			}
		}
		offset += size;
	}
	return offset == script->codeSize;
}
