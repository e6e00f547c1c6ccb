#include "shared/base/json_check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "shared/base/text.h"

/* PostgreSQL's numeric: 131,072 digits before the point, 16,383 behind it (appendix K), and an exponent below INT_MAX
 * / 2. */
enum { NUMERIC_DIGITS_BEFORE = 131072, NUMERIC_DIGITS_BEHIND = 16383 };
#define NUMERIC_EXPONENT_END (INT32_MAX / 2)

struct checker {
	const char *at, *end;
	unsigned depth, max_depth;
	uint64_t is_object[JSON_DEPTH_LIMIT / 64]; /* a bit for each open container */
};

static void skip_blanks(struct checker *checker)
{
	while (checker->at < checker->end &&
	       (*checker->at == ' ' || *checker->at == '\t' || *checker->at == '\n' || *checker->at == '\r'))
		checker->at++;
}

static bool take(struct checker *checker, char wanted)
{
	if (checker->at >= checker->end || *checker->at != wanted)
		return false;
	checker->at++;
	return true;
}

static int check_word(struct checker *checker, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(checker->end - checker->at) < length || memcmp(checker->at, word, length) != 0)
		return -EINVAL;
	checker->at += length;
	return 0;
}

/* Four hex digits behind \u. */
static int read_code_unit(struct checker *checker)
{
	int value = 0;

	if (checker->end - checker->at < 4)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		char c = *checker->at++;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -EINVAL;
	}
	return value;
}

static int check_unicode_escape(struct checker *checker)
{
	int unit = read_code_unit(checker);

	if (unit <= 0) /* \u0000 has no place in text */
		return -EINVAL;
	if (unit < 0xD800 || unit > 0xDFFF)
		return 0;
	if (unit > 0xDBFF || !take(checker, '\\') || !take(checker, 'u'))
		return -EINVAL;
	unit = read_code_unit(checker);
	return unit >= 0xDC00 && unit <= 0xDFFF ? 0 : -EINVAL;
}

/* Behind the opening quote, to behind the closing one. */
static int check_string(struct checker *checker)
{
	const char *begin = checker->at;

	while (checker->at < checker->end) {
		char c = *checker->at++;

		if (c == '"')
			return utf8_is_valid(begin, (size_t)(checker->at - begin)) ? 0 : -EINVAL;
		if ((uint8_t)c < 0x20)
			return -EINVAL;
		if (c != '\\')
			continue;
		if (checker->at >= checker->end)
			return -EINVAL;
		c = *checker->at++;
		if (c == 'u') {
			if (check_unicode_escape(checker) < 0)
				return -EINVAL;
		} else if (c == '\0' || !strchr("\"\\/bfnrt", c)) {
			return -EINVAL;
		}
	}
	return -EINVAL;
}

static bool is_digit(const struct checker *checker)
{
	return checker->at < checker->end && *checker->at >= '0' && *checker->at <= '9';
}

/* What decides whether numeric can hold a number: where its first digit other than 0 stands, and how many are behind
 * the point. */
struct extent {
	int64_t before; /* digits before the point from the first that is not 0; negative: so many zeros behind the
			   point */
	int64_t behind;
	bool is_zero;
};

static int read_mantissa(struct checker *checker, struct extent *ret)
{
	*ret = (struct extent){.is_zero = true};
	if (!is_digit(checker))
		return -EINVAL;
	if (*checker->at == '0' && checker->at + 1 < checker->end && checker->at[1] >= '0' && checker->at[1] <= '9')
		return -EINVAL;
	for (; is_digit(checker); checker->at++) {
		ret->is_zero &= *checker->at == '0';
		ret->before += !ret->is_zero;
	}
	if (!take(checker, '.'))
		return 0;
	if (!is_digit(checker))
		return -EINVAL;
	for (; is_digit(checker); checker->at++) {
		ret->before -= ret->is_zero && *checker->at == '0';
		ret->is_zero &= *checker->at == '0';
		ret->behind++;
	}
	return 0;
}

static int read_exponent(struct checker *checker, int64_t *ret_exponent)
{
	int64_t exponent = 0;
	bool is_negative = false;

	*ret_exponent = 0;
	if (!take(checker, 'e') && !take(checker, 'E'))
		return 0;
	if (take(checker, '-'))
		is_negative = true;
	else
		take(checker, '+');
	if (!is_digit(checker))
		return -EINVAL;
	for (; is_digit(checker); checker->at++) {
		if (exponent < NUMERIC_EXPONENT_END)
			exponent = exponent * 10 + (*checker->at - '0');
	}
	if (exponent >= NUMERIC_EXPONENT_END)
		return -EINVAL;
	*ret_exponent = is_negative ? -exponent : exponent;
	return 0;
}

static int check_number(struct checker *checker)
{
	struct extent extent;
	int64_t exponent;

	take(checker, '-');
	if (read_mantissa(checker, &extent) < 0 || read_exponent(checker, &exponent) < 0)
		return -EINVAL;
	if (extent.behind - exponent > NUMERIC_DIGITS_BEHIND)
		return -EINVAL;
	return extent.is_zero || extent.before + exponent <= NUMERIC_DIGITS_BEFORE ? 0 : -EINVAL;
}

static int check_scalar(struct checker *checker, enum json_kind *ret_kind)
{
	switch (*checker->at) {
	case '"':
		checker->at++;
		*ret_kind = JSON_KIND_STRING;
		return check_string(checker);
	case 't':
		*ret_kind = JSON_KIND_BOOL;
		return check_word(checker, "true");
	case 'f':
		*ret_kind = JSON_KIND_BOOL;
		return check_word(checker, "false");
	case 'n':
		*ret_kind = JSON_KIND_NULL;
		return check_word(checker, "null");
	default:
		*ret_kind = JSON_KIND_NUMBER;
		return check_number(checker);
	}
}

static int push(struct checker *checker, bool is_object)
{
	uint64_t bit = UINT64_C(1) << (checker->depth % 64);
	uint64_t *word;

	if (checker->depth >= checker->max_depth)
		return -E2BIG;
	word = &checker->is_object[checker->depth / 64];
	*word = is_object ? *word | bit : *word & ~bit;
	checker->depth++;
	return 0;
}

static bool in_object(const struct checker *checker)
{
	unsigned top = checker->depth - 1;

	return (checker->is_object[top / 64] >> (top % 64) & 1) != 0;
}

static int check_key(struct checker *checker)
{
	skip_blanks(checker);
	if (!take(checker, '"') || check_string(checker) < 0)
		return -EINVAL;
	skip_blanks(checker);
	return take(checker, ':') ? 0 : -EINVAL;
}

/* One value, or the opening of a container. 1: a value is complete; 0: another one must follow. */
static int check_value(struct checker *checker, enum json_kind *ret_kind)
{
	bool is_object;
	int r;

	skip_blanks(checker);
	if (checker->at >= checker->end)
		return -EINVAL;
	if (*checker->at != '{' && *checker->at != '[') {
		r = check_scalar(checker, ret_kind);
		return r < 0 ? r : 1;
	}
	is_object = *checker->at++ == '{';
	*ret_kind = is_object ? JSON_KIND_OBJECT : JSON_KIND_ARRAY;
	r = push(checker, is_object);
	if (r < 0)
		return r;
	skip_blanks(checker);
	if (take(checker, is_object ? '}' : ']')) {
		checker->depth--;
		return 1;
	}
	return is_object ? check_key(checker) : 0;
}

/* Behind a complete value: closes what ends here. 1: the top value is complete; 0: another one must follow. */
static int close_containers(struct checker *checker)
{
	while (checker->depth > 0) {
		bool is_object = in_object(checker);

		skip_blanks(checker);
		if (take(checker, ','))
			return is_object ? check_key(checker) : 0;
		if (!take(checker, is_object ? '}' : ']'))
			return -EINVAL;
		checker->depth--;
	}
	return 1;
}

int json_check(const char *bytes, size_t length, unsigned max_depth, enum json_kind *ret_kind)
{
	struct checker checker = {.at = bytes, .end = bytes + length};
	enum json_kind kind, inner;
	int r;

	checker.max_depth = max_depth < JSON_DEPTH_LIMIT ? max_depth : JSON_DEPTH_LIMIT;
	r = check_value(&checker, &kind);
	while (r >= 0) {
		if (r > 0)
			r = close_containers(&checker);
		if (r != 0)
			break;
		r = check_value(&checker, &inner);
	}
	if (r < 0)
		return r;
	skip_blanks(&checker);
	if (checker.at != checker.end)
		return -EINVAL;
	if (ret_kind)
		*ret_kind = kind;
	return 0;
}
