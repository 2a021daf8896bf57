/*
 * native.c: the pass over the syntax tree that turns the native forms of TypeScript into XS's host nodes, and gathers
 * what a module imports.
 *
 * XS 13.3 writes a native as `function f(a) @ "xs_f"`, which no TypeScript compiler reads. XS 17 writes it as calls of
 * two functions that the compiler knows, so plain TypeScript declares a native:
 *
 *   native("xs_f")                                     an expression: the host function
 *   m(a) { return native("xs_m").call(this, a); }      a function that only forwards: the host function takes its place
 *   class C extends Native("xs_C_destructor") {        instances are host objects with that destructor
 *     constructor(a) { super(); native("xs_C").call(this, a); }   only forwards: a host constructor
 *   }
 *
 * The tree that leaves here is one that 13.3's parser could have made from the @ form, with one exception: the derived
 * constructor of a native class, whose super() coder.c codes.
 */
#include "xsc.h"

typedef struct {
	xsc_module *module;
	txParser *parser;
	txSymbol *native_symbol, *Native_symbol, *call_symbol;
	bool native_is_ours, Native_is_ours; /* false if the module declares that name itself */
	int depth;                           /* of functions around the node; 0: code of the module's body */
	bool awaits;                         /* the module's body awaits */
	txClassNode *native_class;           /* the innermost class around the node, if it extends Native() */
	txNode *hoisted, *last_hoisted;      /* definitions to put in front of the module's body */
} native_pass;

_Static_assert(sizeof(txHostNode) <= sizeof(txFunctionNode), "a function node is overwritten by a host node");
_Static_assert(sizeof(txExpressionsNode) <= sizeof(txCallNewNode), "a call node is overwritten by an expressions node");
_Static_assert(sizeof(txAccessNode) <= sizeof(txCallNewNode), "a call node is overwritten by an access node");

static void visit(void *it, void *param);

static bool is(const void *node, txToken token) {
	return node && ((const txNode *)node)->description && ((const txNode *)node)->description->token == token;
}

static void visit_children(native_pass *pass, txNode *node) {
	(*node->description->dispatch->distribute)(node, visit, pass);
}

static void *new_node(native_pass *pass, txToken token, const txNode *origin) {
	const txNodeDescription *description = &gxTokenDescriptions[token];
	txNode *node = fxNewParserChunkClear(pass->parser, description->size);
	node->description = description;
	node->path = origin->path;
	node->line = origin->line;
	node->flags = origin->flags & (mxStrictFlag | mxGeneratorFlag | mxAsyncFlag);
	return node;
}

static txNodeList *new_list(native_pass *pass, txNode *first, txNode *last, txInteger length) {
	txNodeList *list = fxNewParserChunkClear(pass->parser, sizeof(txNodeList));
	list->description = &gxTokenDescriptions[XS_TOKEN_ITEMS];
	list->first = first;
	list->length = length;
	if (last) {
		last->next = NULL;
	}
	return list;
}

/* ---- declarations of the two names ------------------------------------------------------------------------------ */

static void note_declaration(native_pass *pass, const txSymbol *symbol) {
	if (symbol && symbol == pass->native_symbol) {
		pass->native_is_ours = false;
	}
	if (symbol && symbol == pass->Native_symbol) {
		pass->Native_is_ours = false;
	}
}

static void find_declarations(void *it, void *param) {
	txNode *node = it;
	native_pass *pass = param;
	if (!node) {
		return;
	}
	fxCheckParserStack(pass->parser, node->line);
	switch (node->description->token) {
	case XS_TOKEN_ARG:
	case XS_TOKEN_CONST:
	case XS_TOKEN_DEFINE:
	case XS_TOKEN_LET:
	case XS_TOKEN_VAR:
		note_declaration(pass, ((txDeclareNode *)node)->symbol);
		break;
	case XS_TOKEN_CLASS:
		note_declaration(pass, ((txClassNode *)node)->symbol);
		break;
	case XS_TOKEN_FUNCTION:
	case XS_TOKEN_GENERATOR:
	case XS_TOKEN_HOST:
		note_declaration(pass, ((txFunctionNode *)node)->symbol);
		break;
	case XS_TOKEN_IMPORT: {
		const txImportNode *import = (const txImportNode *)node;
		txNode *item = import->specifiers ? import->specifiers->first : NULL;
		for (; item; item = item->next) {
			const txSpecifierNode *specifier = (const txSpecifierNode *)item;
			note_declaration(pass, specifier->asSymbol ? specifier->asSymbol : specifier->symbol);
		}
		break;
	}
	default:
		break;
	}
	(*node->description->dispatch->distribute)(node, find_declarations, param);
}

/* ---- the forms -------------------------------------------------------------------------------------------------- */

/* Natives become C identifiers in a generated table, so nothing else may pass. */
static void check_c_name(native_pass *pass, const txStringNode *string, txInteger line) {
	const char *p = string->value;
	bool good = *p && !(*p >= '0' && *p <= '9') && string->length <= 255;
	for (; good && *p; p++) {
		good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_';
	}
	if (!good || p != string->value + string->length) {
		fxReportParserError(pass->parser, line, "native: the name must be a C identifier");
	}
}

static bool calls(const void *it, const txSymbol *symbol) {
	const txCallNewNode *call = it;
	return is(call, XS_TOKEN_CALL) && is(call->reference, XS_TOKEN_ACCESS) &&
		   ((const txAccessNode *)call->reference)->symbol == symbol;
}

static bool is_native_call(const native_pass *pass, const void *node) {
	return pass->native_is_ours && calls(node, pass->native_symbol);
}

static bool is_Native_call(const native_pass *pass, const void *node) {
	return pass->Native_is_ours && calls(node, pass->Native_symbol);
}

/* The single string literal of a call of native() or Native(). */
static txStringNode *name_of(native_pass *pass, const txCallNewNode *call) {
	const txNodeList *items = is(call->params, XS_TOKEN_PARAMS) ? ((const txParamsNode *)call->params)->items : NULL;
	const char *function = ((const txAccessNode *)call->reference)->symbol->string;
	if (!items || items->length != 1 || !is(items->first, XS_TOKEN_STRING)) {
		fxReportParserError(pass->parser, call->line, "%s: the argument must be one string literal", function);
		return NULL;
	}
	txStringNode *string = (txStringNode *)items->first;
	check_c_name(pass, string, call->line);
	return string;
}

static txHostNode *new_host(native_pass *pass, const txNode *origin, txNode *params, txStringNode *name) {
	txHostNode *host = new_node(pass, XS_TOKEN_HOST, origin);
	host->params = params;
	host->at = name;
	return host;
}

static txNode *no_params(native_pass *pass, const txNode *origin) {
	txParamsBindingNode *params = new_node(pass, XS_TOKEN_PARAMS_BINDING, origin);
	params->items = new_list(pass, NULL, NULL, 0);
	return (txNode *)params;
}

/*
 * May a host node stand here? XS finds a module's natives only while the body of the module runs: not when a function is
 * called later, and not any more after the body's first await.
 */
static bool hosts_work_here(const native_pass *pass) {
	return pass->depth == 0 && !pass->awaits;
}

static void require_hosts_here(native_pass *pass, const txNode *node, const char *form) {
	if (pass->depth > 0) {
		fxReportParserError(pass->parser, node->line, "%s must not be inside of a function", form);
	} else if (pass->awaits) {
		fxReportParserError(pass->parser, node->line, "%s must not be in a module that awaits at its top level", form);
	}
}

/*
 * native("xs_f") where host nodes don't work. The host function is made when the module is, like a function that is
 * declared, and the expression reads it. Its name cannot be written in JavaScript, so it never clashes.
 */
static void hoist_native(native_pass *pass, txCallNewNode *call, txStringNode *name) {
	char buffer[260];
	snprintf(buffer, sizeof(buffer), "@%s", name->value);
	txSymbol *symbol = fxNewParserSymbol(pass->parser, buffer);
	txNode *define = pass->hoisted;
	while (define && ((txDefineNode *)define)->symbol != symbol) {
		define = define->next;
	}
	if (!define) {
		txDefineNode *definition = new_node(pass, XS_TOKEN_DEFINE, (txNode *)call);
		txNode *params = no_params(pass, (txNode *)call);
		definition->symbol = symbol;
		definition->initializer = (txNode *)new_host(pass, (txNode *)call, params, name);
		define = (txNode *)definition;
		if (pass->last_hoisted) {
			pass->last_hoisted->next = define;
		} else {
			pass->hoisted = define;
		}
		pass->last_hoisted = define;
	}
	txAccessNode *access = (txAccessNode *)call;
	access->description = &gxTokenDescriptions[XS_TOKEN_ACCESS];
	access->symbol = symbol;
	access->initializer = NULL;
	access->declaration = NULL;
}

static void replace_native_call(native_pass *pass, txCallNewNode *call) {
	txStringNode *name = name_of(pass, call);
	if (!hosts_work_here(pass)) {
		hoist_native(pass, call, name);
		return;
	}
	/* A host node is larger than a call node: it goes where a parenthesised expression has its content. */
	txNode *params = no_params(pass, (txNode *)call);
	txHostNode *host = new_host(pass, (txNode *)call, params, name);
	txExpressionsNode *expressions = (txExpressionsNode *)call;
	expressions->description = &gxTokenDescriptions[XS_TOKEN_EXPRESSIONS];
	expressions->items = new_list(pass, (txNode *)host, (txNode *)host, 1);
	expressions->declaration = NULL;
	expressions->mapped = 0;
}

/* Do the arguments of .call() pass on `this` and the function's own parameters, in order and nothing else? */
static bool passes_parameters(const txFunctionNode *function, const txCallNewNode *call) {
	if (!is(call->params, XS_TOKEN_PARAMS) || !is(function->params, XS_TOKEN_PARAMS_BINDING)) {
		return false;
	}
	const txNodeList *arguments = ((const txParamsNode *)call->params)->items;
	const txNodeList *parameters = ((const txParamsBindingNode *)function->params)->items;
	if (arguments->length != parameters->length + 1 || !is(arguments->first, XS_TOKEN_THIS)) {
		return false;
	}
	/* What XS checks in the nodes that we drop, and the signed byte that a host's length is stored in. */
	if (((function->flags & mxGetterFlag) && parameters->length != 0) ||
		((function->flags & mxSetterFlag) && parameters->length != 1) || parameters->length > 127) {
		return false;
	}
	const txNode *argument = arguments->first->next;
	const txNode *parameter = parameters->first;
	for (; parameter && argument; parameter = parameter->next, argument = argument->next) {
		const txNode *bound = parameter, *passed = argument;
		if (is(bound, XS_TOKEN_REST_BINDING)) {
			if ((function->flags & mxSetterFlag) || !is(passed, XS_TOKEN_SPREAD)) {
				return false;
			}
			bound = ((const txRestBindingNode *)bound)->binding;
			passed = ((const txSpreadNode *)passed)->expression;
		}
		if (!is(bound, XS_TOKEN_ARG) || !is(passed, XS_TOKEN_ACCESS) ||
			((const txDeclareNode *)bound)->symbol != ((const txAccessNode *)passed)->symbol) {
			return false;
		}
	}
	return !parameter && !argument;
}

/* The native() call of a function that only forwards to it, or NULL. `after_super`: the body begins with super(). */
static txCallNewNode *forwarded_native(const native_pass *pass, const txFunctionNode *function, bool after_super) {
	if (!is(function, XS_TOKEN_FUNCTION) || !is(function->body, XS_TOKEN_BODY) ||
		(function->flags & (mxArrowFlag | mxAsyncFlag | mxGeneratorFlag | mxFieldFlag))) {
		return NULL;
	}
	const txNode *statement = ((const txBodyNode *)function->body)->statement;
	if (after_super) {
		if (!is(statement, XS_TOKEN_STATEMENTS) || ((const txStatementsNode *)statement)->items->length != 2) {
			return NULL;
		}
		statement = ((const txStatementsNode *)statement)->items->first;
		if (!is(statement, XS_TOKEN_STATEMENT)) {
			return NULL;
		}
		const txSuperNode *super = (const txSuperNode *)((const txStatementNode *)statement)->expression;
		if (!is(super, XS_TOKEN_SUPER) || ((const txParamsNode *)super->params)->items->length != 0) {
			return NULL;
		}
		statement = statement->next;
	}
	if (!is(statement, XS_TOKEN_STATEMENT) && !is(statement, XS_TOKEN_RETURN)) {
		return NULL;
	}
	const txCallNewNode *call = (const txCallNewNode *)((const txStatementNode *)statement)->expression;
	if (!is(call, XS_TOKEN_CALL) || !is(call->reference, XS_TOKEN_MEMBER)) {
		return NULL;
	}
	const txMemberNode *member = (const txMemberNode *)call->reference;
	if (member->symbol != pass->call_symbol || !is_native_call(pass, member->reference) ||
		!passes_parameters(function, call)) {
		return NULL;
	}
	return (txCallNewNode *)member->reference;
}

/* Overwrites a function by the host function that it forwards to, if it does. */
static bool replace_forwarder(native_pass *pass, txNode *node, bool after_super) {
	txFunctionNode *function = (txFunctionNode *)node;
	if (!hosts_work_here(pass)) {
		return false;
	}
	txCallNewNode *call = forwarded_native(pass, function, after_super);
	if (!call) {
		return false;
	}
	txStringNode *name = name_of(pass, call);
	txSymbol *symbol = function->symbol;
	txNode *params = function->params;
	txHostNode *host = (txHostNode *)function;
	host->description = &gxTokenDescriptions[XS_TOKEN_HOST];
	host->symbol = symbol;
	host->params = params;
	host->at = name;
	host->nextHostNode = NULL;
	host->paramsCount = 0;
	return true;
}

/* ---- the walk --------------------------------------------------------------------------------------------------- */

static void visit_class(native_pass *pass, txClassNode *class) {
	txClassNode *outer = pass->native_class;
	bool native = is_Native_call(pass, class->heritage);
	bool derived = class->heritage && !is(class->heritage, XS_TOKEN_HOST);
	if (native) {
		require_hosts_here(pass, class->heritage, "a native class");
		txStringNode *name = name_of(pass, (txCallNewNode *)class->heritage);
		class->heritage = (txNode *)new_host(pass, class->heritage, NULL, name);
	} else if (class->heritage) {
		visit(class->heritage, pass);
	}
	pass->native_class = native ? class : NULL;
	/* Only code of a constructor initialises fields, so a class with fields keeps its constructor. */
	if (class->instanceInit || (derived && !native) || !replace_forwarder(pass, class->constructor, native)) {
		pass->depth++;
		visit_children(pass, class->constructor);
		pass->depth--;
	}
	fxNodeListDistribute(class->items, visit, pass);
	visit(class->constructorInit, pass);
	visit(class->instanceInit, pass);
	pass->native_class = outer;
}

static void visit_import_call(native_pass *pass, txStatementNode *call) {
	if (is(call->expression, XS_TOKEN_STRING)) {
		xsc_add_string(&pass->module->dynamic_imports, ((txStringNode *)call->expression)->value);
	} else {
		pass->module->computed_import = true;
		visit(call->expression, pass);
	}
}

static void visit(void *it, void *param) {
	txNode *node = it;
	native_pass *pass = param;
	if (!node) {
		return;
	}
	fxCheckParserStack(pass->parser, node->line);
	switch (node->description->token) {
	case XS_TOKEN_ACCESS: {
		const txSymbol *symbol = ((txAccessNode *)node)->symbol;
		if ((pass->native_is_ours && symbol == pass->native_symbol) ||
			(pass->Native_is_ours && symbol == pass->Native_symbol)) {
			fxReportParserError(
				pass->parser, node->line, "%s: it may only be called, with one string literal", symbol->string);
		}
		break;
	}
	case XS_TOKEN_CALL:
		if (is_native_call(pass, node)) {
			replace_native_call(pass, (txCallNewNode *)node);
		} else if (is_Native_call(pass, node)) {
			fxReportParserError(pass->parser, node->line, "Native: it may only be called after `extends`");
		} else {
			visit_children(pass, node);
		}
		break;
	case XS_TOKEN_CLASS:
		visit_class(pass, (txClassNode *)node);
		break;
	case XS_TOKEN_EXPORT:
		if (((txExportNode *)node)->from) {
			xsc_add_string(&pass->module->imports, ((txStringNode *)((txExportNode *)node)->from)->value);
		}
		break;
	case XS_TOKEN_FUNCTION:
	case XS_TOKEN_GENERATOR:
		if (!replace_forwarder(pass, node, false)) {
			pass->depth++;
			visit_children(pass, node);
			pass->depth--;
		}
		break;
	case XS_TOKEN_HOST:
		require_hosts_here(pass, node, "a native");
		check_c_name(pass, ((txHostNode *)node)->at, node->line);
		break;
	case XS_TOKEN_IMPORT:
		xsc_add_string(&pass->module->imports, ((txStringNode *)((txImportNode *)node)->from)->value);
		break;
	case XS_TOKEN_IMPORT_CALL:
		visit_import_call(pass, (txStatementNode *)node);
		break;
	case XS_TOKEN_PARAMS:
		xsc_coder_extend_params(node);
		visit_children(pass, node);
		break;
	case XS_TOKEN_SUPER:
		if (pass->native_class) {
			xsc_coder_extend_native_super(node);
		}
		visit_children(pass, node);
		break;
	case XS_TOKEN_TYPEOF:
		/* `typeof native` asks whether there is one; it is no use of it. */
		if (!is(((txUnaryExpressionNode *)node)->right, XS_TOKEN_ACCESS)) {
			visit_children(pass, node);
		}
		break;
	default:
		visit_children(pass, node);
		break;
	}
}

static void prepend_hoisted(native_pass *pass, txModuleNode *root) {
	txStatementsNode *statements = (txStatementsNode *)root->body;
	if (!is(statements, XS_TOKEN_STATEMENTS)) {
		statements = new_node(pass, XS_TOKEN_STATEMENTS, root->body);
		statements->items = new_list(pass, root->body, root->body, 1);
		root->body = (txNode *)statements;
	}
	for (txNode *node = pass->hoisted; node; node = node->next) {
		node->line = -1; /* no line of its own: it runs before the first */
		statements->items->length++;
	}
	pass->last_hoisted->next = statements->items->first;
	statements->items->first = pass->hoisted;
}

void xsc_native_pass(xsc_module *module) {
	txParser *parser = &module->parser;
	native_pass pass = {
		.module = module,
		.parser = parser,
		.native_is_ours = true,
		.Native_is_ours = true,
	};
	if (parser->errorCount) {
		return;
	}
	mxTryParser(parser) {
		pass.native_symbol = fxNewParserSymbol(parser, "native");
		pass.Native_symbol = fxNewParserSymbol(parser, "Native");
		pass.call_symbol = fxNewParserSymbol(parser, "call");
		find_declarations(parser->root, &pass);
		xsc_coder_extend_module(parser->root);
		pass.awaits = (parser->root->flags & mxAwaitingFlag) != 0;
		visit(parser->root, &pass);
		if (pass.hoisted) {
			prepend_hoisted(&pass, (txModuleNode *)parser->root);
		}
	}
	mxCatchParser(parser) {
	}
}
