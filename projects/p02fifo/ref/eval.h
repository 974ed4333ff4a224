/*
 * Arithmetic on one line of text, by recursive descent:
 *
 *	sum     = product { ("+" | "-") product }
 *	product = factor { ("*" | "/" | "%") factor }
 *	factor  = "-" factor | "(" sum ")" | number
 *	number  = digits [ "." [digits] ] [exponent] | "." digits [exponent]
 *
 * A number without point and exponent is a 64-bit integer, and stays one as long
 * as it can; everything else is a double.
 */
#ifndef EVAL_H
#define EVAL_H

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "calc.h"

#define MAX_DEPTH 100
#define ANSWER_SIZE 64

struct value {
	bool is_integer;
	int64_t i;
	double f;
};

struct parser {
	const char *start, *at, *end;
	int depth;
	char *error; /* ANSWER_SIZE bytes */
};

static inline bool unexpected(struct parser *p)
{
	char shown[SHOWN(1)];
	int column = (int)(p->at - p->start) + 1;
	if (p->at == p->end)
		snprintf(p->error, ANSWER_SIZE, "error: unexpected end at %d", column);
	else
		snprintf(p->error, ANSWER_SIZE, "error: unexpected '%s' at %d",
			show(shown, p->at, 1), column);
	return false;
}

static inline bool failed(struct parser *p, const char *why)
{
	snprintf(p->error, ANSWER_SIZE, "error: %s", why);
	return false;
}

/* The next character that is no blank, 0 at the end. */
static inline char peek(struct parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
		p->at++;
	return p->at < p->end ? *p->at : '\0';
}

static inline bool digit_at(const struct parser *p, const char *at)
{
	return at < p->end && *at >= '0' && *at <= '9';
}

static inline const char *skip_digits(const struct parser *p, const char *at)
{
	while (digit_at(p, at))
		at++;
	return at;
}

static inline bool number(struct parser *p, bool negative, struct value *v)
{
	char text[PIPE_BUF + 2] = "-";
	const char *at = skip_digits(p, p->at);
	bool decimal = at < p->end && *at == '.';
	if (decimal)
		at = skip_digits(p, at + 1);
	if (at - p->at == decimal) /* no digit at all */
		return unexpected(p);
	if (at < p->end && (*at == 'e' || *at == 'E')) {
		const char *exponent = at + 1;
		if (exponent < p->end && (*exponent == '+' || *exponent == '-'))
			exponent++;
		if (digit_at(p, exponent)) {
			decimal = true;
			at = skip_digits(p, exponent);
		}
	}
	/* A copy: the operation may go on with what strtod would take too. */
	memcpy(text + negative, p->at, at - p->at);
	text[negative + (at - p->at)] = '\0';
	p->at = at;
	errno = 0;
	*v = (struct value){.is_integer = !decimal};
	if (decimal)
		v->f = strtod(text, NULL);
	else
		v->i = strtoll(text, NULL, 10);
	/* ERANGE is also the errno of a decimal too small, which is as good as 0. */
	if (decimal ? isinf(v->f) : errno == ERANGE)
		return failed(p, "overflow");
	return true;
}

static inline double as_double(const struct value *v)
{
	return v->is_integer ? (double)v->i : v->f;
}

/* Whether a op b is an integer: it is then in *r, or *overflow is set. */
static inline bool on_integers(char op, int64_t a, int64_t b, int64_t *r, bool *overflow)
{
	switch (op) {
	case '+':
		*overflow = __builtin_add_overflow(a, b, r);
		return true;
	case '-':
		*overflow = __builtin_sub_overflow(a, b, r);
		return true;
	case '*':
		*overflow = __builtin_mul_overflow(a, b, r);
		return true;
	}
	if (b == -1) { /* the smallest integer divided by -1 is a trap, not a number */
		*r = 0;
		*overflow = op == '/' && __builtin_sub_overflow(0, a, r);
		return true;
	}
	*r = op == '/' ? a / b : a % b;
	return op == '%' || a % b == 0;
}

/* *a = *a op *b */
static inline bool apply(struct parser *p, char op, struct value *a, const struct value *b)
{
	double x = as_double(a), y = as_double(b);
	bool overflow = false;
	if ((op == '/' || op == '%') && y == 0)
		return failed(p, "division by zero");
	if (a->is_integer && b->is_integer && on_integers(op, a->i, b->i, &a->i, &overflow))
		return !overflow || failed(p, "overflow");
	a->is_integer = false;
	a->f = op == '+' ? x + y
	     : op == '-' ? x - y
	     : op == '*' ? x * y
	     : op == '/' ? x / y
			 : fmod(x, y);
	return isfinite(a->f) || failed(p, "overflow");
}

static inline bool sum(struct parser *p, struct value *v);

static inline bool factor(struct parser *p, struct value *v)
{
	char opening = peek(p);
	if (opening != '-' && opening != '(')
		return number(p, false, v);
	if (++p->depth > MAX_DEPTH)
		return failed(p, "nested too deeply");
	p->at++;
	if (opening == '(') {
		if (!sum(p, v))
			return false;
		if (peek(p) != ')')
			return unexpected(p);
		p->at++;
	} else if (peek(p) == '.' || digit_at(p, p->at)) {
		/* With its sign: the smallest integer has no positive counterpart. */
		if (!number(p, true, v))
			return false;
	} else {
		struct value operand;
		if (!factor(p, &operand))
			return false;
		*v = (struct value){.is_integer = true};
		if (!apply(p, '-', v, &operand))
			return false;
	}
	p->depth--;
	return true;
}

static inline bool product(struct parser *p, struct value *v)
{
	char op;
	if (!factor(p, v))
		return false;
	while ((op = peek(p)) == '*' || op == '/' || op == '%') {
		struct value right;
		p->at++;
		if (!factor(p, &right) || !apply(p, op, v, &right))
			return false;
	}
	return true;
}

static inline bool sum(struct parser *p, struct value *v)
{
	char op;
	if (!product(p, v))
		return false;
	while ((op = peek(p)) == '+' || op == '-') {
		struct value right;
		p->at++;
		if (!product(p, &right) || !apply(p, op, v, &right))
			return false;
	}
	return true;
}

/* Writes the result, or "error: " and the reason, into answer. */
static inline void evaluate(const char *operation, size_t len, char answer[ANSWER_SIZE])
{
	struct parser p = {operation, operation, operation + len, 0, answer};
	struct value v;
	if (!sum(&p, &v))
		return;
	peek(&p);
	if (p.at != p.end)
		unexpected(&p);
	else if (v.is_integer)
		snprintf(answer, ANSWER_SIZE, "%" PRId64, v.i);
	else
		snprintf(answer, ANSWER_SIZE, "%.15g", v.f + 0); /* no -0 */
}

#endif
