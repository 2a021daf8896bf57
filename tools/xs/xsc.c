/*
 * xsc.c: pericard-xsc, the XS compiler front end: reads one ES module, writes its bytecode and tables as JSON.
 *
 * Exit codes: 0 done, 1 the source has a mistake (stderr: `file:line: message`), 2 usage or environment.
 * docs/xs-compiler.md describes the output.
 */
#include "xsc.h"

#include <errno.h>
#include <limits.h>

#define SOURCE_LIMIT (16 * 1024 * 1024) /* bytes of one source file */
#define STACK_SIZE (64u * 1024 * 1024)  /* bytes; XS reports `stack overflow` before it is used up */
#define SYMBOL_BUCKETS 1993

enum { EXIT_DONE = 0, EXIT_MISTAKE = 1, EXIT_ENVIRONMENT = 2 };

static const char usage[] = "usage: pericard-xsc <file.js> --name <specifier> [--out <file.json>] [--no-lines]\n"
							"       pericard-xsc --ids [--out <file.json>]\n"
							"\n"
							"Compiles one ES module to XS bytecode and writes a JSON module object.\n"
							"  --name <specifier>  the name under which other modules import this one\n"
							"  --out <file.json>   write there instead of standard output\n"
							"  --no-lines          leave the table of lines empty (the code is the same)\n"
							"  --ids               write the identifiers that are built into the engine\n"
							"  --help              show this text\n"
							"Exit codes: 0 done, 1 the source has a mistake, 2 usage or environment.\n";

typedef struct {
	const char *file, *name, *out;
	bool ids, lines;
	int status;
} xsc_options;

/* ---- what XS asks of its host ----------------------------------------------------------------------------------- */

txID fxGenerateProfileID(void *console) {
	(void)console;
	return XS_NO_ID;
}

/* The module that this process compiles, and the tagged templates seen in it so far. */
static const char *module_name = "";
static unsigned template_count;

/* A tagged template's strings are cached under this name in the realm, which all modules share. */
void fxGenerateTag(void *console, txString buffer, txInteger size, txString path) {
	(void)console;
	(void)path;
	snprintf(buffer, (size_t)size, "%u`%s", template_count++, module_name);
}

void fxVReport(void *console, txString format, c_va_list arguments) {
	(void)console;
	vfprintf(stderr, format, arguments);
}

void fxVReportError(void *console, txString path, txInteger line, txString format, c_va_list arguments) {
	(void)path;
	fprintf(stderr, "%s:%d: ", ((xsc_module *)console)->file, (int)line);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void fxVReportWarning(void *console, txString path, txInteger line, txString format, c_va_list arguments) {
	(void)path;
	fprintf(stderr, "%s:%d: warning: ", ((xsc_module *)console)->file, (int)line);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

void xsc_out_of_memory(void) {
	fprintf(stderr, "pericard-xsc: out of memory\n");
	exit(EXIT_ENVIRONMENT);
}

static void *grown(void *data, size_t length, size_t *capacity, size_t size) {
	if (length < *capacity) {
		return data;
	}
	*capacity = *capacity ? *capacity * 2 : 64;
	data = realloc(data, *capacity * size);
	if (!data) {
		xsc_out_of_memory();
	}
	return data;
}

void xsc_add_integer(xsc_integers *array, int32_t value) {
	array->data = grown(array->data, array->length, &array->capacity, sizeof(*array->data));
	array->data[array->length++] = value;
}

void xsc_add_string(xsc_strings *array, const char *string) {
	for (size_t i = 0; i < array->length; i++) {
		if (strcmp(array->data[i], string) == 0) {
			return;
		}
	}
	array->data = grown(array->data, array->length, &array->capacity, sizeof(*array->data));
	array->data[array->length++] = string;
}

/* ---- source ----------------------------------------------------------------------------------------------------- */

typedef struct {
	const unsigned char *next, *end;
} source_stream;

static int next_byte(void *it) {
	source_stream *stream = it;
	return stream->next < stream->end ? *stream->next++ : C_EOF;
}

/* Returns the bytes of the file, or NULL after a message. */
static unsigned char *read_source(const char *path, size_t *size) {
	FILE *file = fopen(path, "rb");
	unsigned char *data = malloc(SOURCE_LIMIT + 1);
	if (!file || !data) {
		fprintf(stderr, "pericard-xsc: cannot read %s: %s\n", path, strerror(errno));
		free(data);
		if (file) {
			fclose(file);
		}
		return NULL;
	}
	*size = fread(data, 1, SOURCE_LIMIT + 1, file);
	bool failed = ferror(file) || *size > SOURCE_LIMIT;
	if (ferror(file)) {
		fprintf(stderr, "pericard-xsc: cannot read %s: %s\n", path, strerror(errno));
	} else if (failed) {
		fprintf(stderr, "pericard-xsc: %s is larger than %d bytes\n", path, SOURCE_LIMIT);
	}
	fclose(file);
	if (failed) {
		free(data);
		return NULL;
	}
	return data;
}

/*
 * XS's scanner trusts its input to be UTF-8 and takes a zero byte for the end of a string. Returns the line of the
 * first byte that would break this, or 0.
 */
static int bad_encoding(const unsigned char *data, size_t size) {
	int line = 1;
	for (size_t i = 0; i < size;) {
		unsigned char byte = data[i++];
		size_t more = byte < 0x80 ? 0 : byte < 0xC2 ? 4 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : byte < 0xF5 ? 3 : 4;
		if (byte == 0 || more == 4 || more > size - i) {
			return line;
		}
		unsigned char low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
		unsigned char high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
		for (; more > 0; more--, i++) {
			if (data[i] < low || data[i] > high) {
				return line;
			}
			low = 0x80;
			high = 0xBF;
		}
		line += byte == '\n';
	}
	return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void put_string(FILE *out, const char *string) {
	txInteger c;
	fputc('"', out);
	while (*string) {
		const char *next = fxUTF8Decode((txString)string, &c);
		if (c == C_EOF) {
			next = string + 1; /* a byte that is no UTF-8: cannot come from XS */
			c = 0xFFFD;
		}
		if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", (char)c);
		} else if (c < 32 || c == 127 || (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFD) {
			fprintf(out, "\\u%04X", (unsigned)c); /* a lone surrogate stays one: JavaScript strings may have them */
		} else {
			fwrite(string, 1, (size_t)(next - string), out);
		}
		string = next;
	}
	fputc('"', out);
}

static void put_strings(FILE *out, const char *key, const xsc_strings *strings) {
	fprintf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < strings->length; i++) {
		if (i > 0) {
			fputc(',', out);
		}
		put_string(out, strings->data[i]);
	}
	fputc(']', out);
}

static void put_base64(FILE *out, const unsigned char *data, size_t size) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	fputc('"', out);
	for (size_t i = 0; i < size; i += 3) {
		size_t rest = size - i;
		unsigned bits = (unsigned)data[i] << 16;
		bits |= rest > 1 ? (unsigned)data[i + 1] << 8 : 0;
		bits |= rest > 2 ? (unsigned)data[i + 2] : 0;
		fputc(digits[bits >> 18], out);
		fputc(digits[bits >> 12 & 63], out);
		fputc(rest > 1 ? digits[bits >> 6 & 63] : '=', out);
		fputc(rest > 2 ? digits[bits & 63] : '=', out);
	}
	fputc('"', out);
}

static void put_ids(FILE *out) {
	fprintf(out, "{\"version\":[%d,%d,%d],\"symbols\":%d,\"ids\":[", XS_MAJOR_VERSION, XS_MINOR_VERSION,
		XS_PATCH_VERSION, XS_SYMBOL_ID_COUNT);
	for (int i = 0; i < XS_ID_COUNT; i++) {
		if (i > 0) {
			fputc(',', out);
		}
		put_string(out, gxIDStrings[i]);
	}
	fputs("]}\n", out);
}

/* The symbols that the code uses, by index. Index 0 is XS's `no symbol`. Returns NULL if a 16-bit index cannot tell. */
static const txSymbol **used_symbols(const txParser *parser, size_t *count) {
	*count = 1;
	for (txSize i = 0; i < parser->symbolModulo; i++) {
		for (const txSymbol *symbol = parser->symbolTable[i]; symbol; symbol = symbol->next) {
			*count += symbol->usage > 0;
		}
	}
	if (*count > 65535) {
		return NULL;
	}
	const txSymbol **symbols = calloc(*count, sizeof(*symbols));
	if (!symbols) {
		xsc_out_of_memory();
	}
	for (txSize i = 0; i < parser->symbolModulo; i++) {
		for (const txSymbol *symbol = parser->symbolTable[i]; symbol; symbol = symbol->next) {
			if (symbol->usage > 0) {
				symbols[symbol->ID] = symbol;
			}
		}
	}
	return symbols;
}

static void put_module(FILE *out, const xsc_options *options, const xsc_module *module, const txScript *script,
	const txSymbol **symbols, size_t count) {
	fputs("{\"name\":", out);
	put_string(out, options->name);
	fputs(",\"symbols\":[null", out);
	for (size_t i = 1; i < count; i++) {
		fputc(',', out);
		put_string(out, symbols[i]->string);
	}
	fputs("],\"code\":", out);
	put_base64(out, (const unsigned char *)script->codeBuffer, (size_t)script->codeSize);
	fputs(",\"ids\":[", out);
	for (size_t i = 0; i < module->ids.length; i++) {
		fprintf(out, i > 0 ? ",%d" : "%d", (int)module->ids.data[i]);
	}
	fputs("],\"hosts\":[", out);
	for (const txHostNode *host = module->parser.firstHostNode; host; host = host->nextHostNode) {
		if (host != module->parser.firstHostNode) {
			fputc(',', out);
		}
		int symbol = host->symbol && host->symbol->string ? host->symbol->ID : -1;
		fprintf(out, "{\"symbol\":%d,\"length\":%d,\"name\":", symbol, (int)host->paramsCount);
		put_string(out, host->at->value);
		fprintf(out, ",\"line\":%d}", (int)host->line);
	}
	fputs("],\"lines\":[", out);
	for (size_t i = 0; i + 1 < module->lines.length; i += 2) {
		fprintf(out, i > 0 ? ",[%d,%d]" : "[%d,%d]", (int)module->lines.data[i], (int)module->lines.data[i + 1]);
	}
	fputc(']', out);
	put_strings(out, "imports", &module->imports);
	put_strings(out, "dynamicImports", &module->dynamic_imports);
	fprintf(out, ",\"computedImport\":%s}\n", module->computed_import ? "true" : "false");
}

/* Closes the output and reports what the disk thought of it. */
static int finish_output(FILE *out, const char *path) {
	bool failed = fflush(out) != 0 || ferror(out);
	if (path && fclose(out) != 0) {
		failed = true;
	}
	if (failed) {
		fprintf(stderr, "pericard-xsc: cannot write %s: %s\n", path ? path : "standard output", strerror(errno));
		return EXIT_ENVIRONMENT;
	}
	return EXIT_DONE;
}

static FILE *open_output(const char *path) {
	FILE *out = path ? fopen(path, "wb") : stdout;
	if (!out) {
		fprintf(stderr, "pericard-xsc: cannot write %s: %s\n", path, strerror(errno));
	}
	return out;
}

/* ---- compilation ------------------------------------------------------------------------------------------------ */

static int write_module(const xsc_options *options, xsc_module *module, const txScript *script) {
	size_t count;
	if (!xsc_coder_tables(module, script)) {
		fprintf(stderr, "pericard-xsc: the layout of %s is not what XS emitted\n", options->file);
		return EXIT_ENVIRONMENT;
	}
	const txSymbol **symbols = used_symbols(&module->parser, &count);
	if (!symbols) {
		fprintf(stderr, "%s:1: too many different names in a module\n", options->file);
		return EXIT_MISTAKE;
	}
	int status = EXIT_ENVIRONMENT;
	FILE *out = open_output(options->out);
	if (out) {
		put_module(out, options, module, script, symbols, count);
		status = finish_output(out, options->out);
	}
	free(symbols);
	return status;
}

static int compile(const xsc_options *options) {
	size_t size;
	unsigned char *source = read_source(options->file, &size);
	if (!source) {
		return EXIT_ENVIRONMENT;
	}
	int status = EXIT_MISTAKE;
	int line = bad_encoding(source, size);
	if (line) {
		fprintf(stderr, "%s:%d: the source must be UTF-8 without zero bytes\n", options->file, line);
		free(source);
		return status;
	}
	xsc_module *module = calloc(1, sizeof(*module));
	if (!module) {
		xsc_out_of_memory();
	}
	source_stream stream = {source, source + size};
	txParser *parser = &module->parser;
	module->file = options->file;
	/* No token is longer than twice the source, so the scanner's buffer never truncates and never overflows. */
	fxInitializeParser(parser, module, (txSize)(2 * size + 4096), SYMBOL_BUCKETS);
	parser->path = fxNewParserSymbol(parser, (txString)options->file);
	fxParserTree(parser, &stream, next_byte, mxCFlag | (options->lines ? mxDebugFlag : 0), NULL);
	xsc_native_pass(module);
	fxParserHoist(parser);
	fxParserBind(parser);
	txScript *script = parser->errorCount ? NULL : fxParserCode(parser);
	if (script && parser->errorCount == 0) {
		status = write_module(options, module, script);
	}
	fxDeleteScript(script);
	fxTerminateParser(parser);
	free(module->imports.data);
	free(module->dynamic_imports.data);
	free(module->lines.data);
	free(module->ids.data);
	free(module);
	free(source);
	return status;
}

static void *compile_in_thread(void *it) {
	xsc_options *options = it;
	options->status = compile(options);
	return NULL;
}

/* How deep a source may nest shall not depend on the shell's stack limit: the compilation has a stack of its own. */
static int compile_with_stack(xsc_options *options) {
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int error = pthread_create(&thread, &attributes, compile_in_thread, options);
	pthread_attr_destroy(&attributes);
	if (error) {
		fprintf(stderr, "pericard-xsc: no thread: %s\n", strerror(error));
		return EXIT_ENVIRONMENT;
	}
	pthread_join(thread, NULL);
	return options->status;
}

static int usage_error(const char *message, const char *detail) {
	fprintf(stderr, "pericard-xsc: %s%s\n%s", message, detail, usage);
	return EXIT_ENVIRONMENT;
}

int main(int argc, char *argv[]) {
	xsc_options options = {.lines = true};
	for (int i = 1; i < argc; i++) {
		const char *argument = argv[i];
		if (strcmp(argument, "--help") == 0) {
			fputs(usage, stdout);
			return EXIT_DONE;
		} else if (strcmp(argument, "--ids") == 0) {
			options.ids = true;
		} else if (strcmp(argument, "--no-lines") == 0) {
			options.lines = false;
		} else if (strcmp(argument, "--name") == 0 || strcmp(argument, "--out") == 0) {
			const char **value = argument[2] == 'n' ? &options.name : &options.out;
			if (++i == argc) {
				return usage_error("no value after ", argument);
			}
			*value = argv[i];
		} else if (argument[0] == '-' || options.file) {
			return usage_error("unknown argument ", argument);
		} else {
			options.file = argument;
		}
	}
	if (options.ids) {
		if (options.file || options.name) {
			return usage_error("--ids takes no source", "");
		}
		FILE *out = open_output(options.out);
		if (!out) {
			return EXIT_ENVIRONMENT;
		}
		put_ids(out);
		return finish_output(out, options.out);
	}
	if (!options.file || !options.name) {
		return usage_error(options.file ? "--name is missing" : "the source file is missing", "");
	}
	module_name = options.name;
	return compile_with_stack(&options);
}
