/*
 * xsc.h: what the parts of pericard-xsc share: the state of one compilation and the calls between the passes.
 *
 * The order of the passes: XS's parser (fxParserTree), our native pass (native.c), XS's scope passes and coder, the
 * coder's extension that takes debug codes out again (coder.c), and the writer of the JSON module object (xsc.c).
 */
#ifndef PERICARD_XSC_H
#define PERICARD_XSC_H

#include <xsScript.h>

/* A growing array of machine-size integers; two of them make a table of pairs. */
typedef struct {
	int32_t *data;
	size_t length, capacity;
} xsc_integers;

/* A growing array of strings that live as long as the parser does. */
typedef struct {
	char const **data;
	size_t length, capacity;
} xsc_strings;

/* One compilation. `parser.console` points back to it, so every XS callback finds it. */
typedef struct {
	txParser parser;
	const char *file; /* as given on the command line: the file of every message */

	/* native.c */
	xsc_strings imports;         /* specifiers of static import and export-from, each once, in source order */
	xsc_strings dynamic_imports; /* literals given to import(), each once */
	bool computed_import;        /* an import() whose argument is no string literal */

	/* coder.c */
	txByteCode *first_code; /* the coder's list; its codes belong to the parser and outlive fxParserCode */
	xsc_integers lines;     /* pairs: byte offset, line; ascending by offset, neighbours differ in line */
	xsc_integers ids;       /* byte offsets of symbol indices, ascending */
} xsc_module;

_Noreturn void xsc_out_of_memory(void); /* ends the process with exit code 2 */

void xsc_add_integer(xsc_integers *array, int32_t value);
void xsc_add_string(xsc_strings *array, const char *string); /* does nothing if it is there already */

/*
 * Rewrites every native form of the tree into XS's own host nodes and gathers imports. Call it between fxParserTree
 * and fxParserHoist. Mistakes are reported through the parser (errorCount).
 */
void xsc_native_pass(xsc_module *module);

/* The kinds of nodes whose code generation coder.c extends. Called by the native pass on each such node. */
void xsc_coder_extend_module(txNode *node);       /* the root */
void xsc_coder_extend_params(txNode *node);       /* arguments of a call: the call's own line is kept */
void xsc_coder_extend_native_super(txNode *node); /* super() in a class that extends Native() */

/*
 * Fills `lines` and `ids` after fxParserCode has laid out the code. Returns false if our view of the layout disagrees
 * with the size that XS computed (a defect, never the developer's mistake).
 */
bool xsc_coder_tables(xsc_module *module, const txScript *script);

#endif
