/*
 * One pass over XML with libxml2's SAX2 reader: no tree, no network, no entities but the five of XML, no huge texts, a
 * bounded depth. What a part is called is its local name; the office formats are told apart well enough by it and by
 * the prefix.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink;

struct xml_attributes {
	const unsigned char **raw; /* libxml2's, five a piece */
	int count;
};

struct xml_handler {
	/* Any may be NULL. Not 0 stops the pass, which then returns it. */
	int (*begin)(void *context, const char *prefix, const char *name, const struct xml_attributes *attributes);
	int (*end)(void *context, const char *prefix, const char *name);
	int (*text)(void *context, const char *bytes, size_t length); /* a text comes in any number of pieces */
};

/*
 * 0; -EBADMSG: not well-formed (what came before the fault was handled); -E2BIG: too deep; -ETIME: the sink's time is
 * up; what a handler returned.
 */
int xml_walk(const char *bytes, size_t length, const struct xml_handler *handler, void *context, struct sink *sink);

/*
 * The same for XML that comes in pieces. push() and end() return what xml_walk() returns; end() frees in any case. The
 * sink is asked for the time now and then; NULL is allowed.
 */
struct xml_stream;
int xml_stream_begin(const struct xml_handler *handler, void *context, struct sink *sink,
		     struct xml_stream **ret_stream);
int xml_stream_push(struct xml_stream *stream, const char *bytes, size_t length);
int xml_stream_end(struct xml_stream *stream);
/* Where the reading stands, from 1. */
unsigned xml_stream_line(const struct xml_stream *stream);

/* The value of an attribute by local name, copied and cut into value; NULL when it is absent. */
const char *xml_attribute(const struct xml_attributes *attributes, const char *name, char *value, size_t size);
/* Is it absent, or one of 0, false, none, off? For the switches of OOXML. */
bool xml_attribute_is_off(const struct xml_attributes *attributes, const char *name);
