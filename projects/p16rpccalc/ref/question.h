/* What calc_client is asked: an operation, and two numbers or an expression. */
#ifndef QUESTION_H
#define QUESTION_H

#include "reach.h"
#include "stubs.h"

static const struct operation {
	const char *name;
	int *(*in_version_1)(operands *, CLIENT *);
	calc_result *(*in_version_2)(operands *, CLIENT *);
} operations[] = {
	{ "add", add_1, add_2 },
	{ "subtract", subtract_1, subtract_2 },
	{ "multiply", multiply_1, multiply_2 },
	{ "divide", NULL, divide_2 },
	{ "remainder", NULL, remainder_2 },
	{ "evaluate", NULL, NULL }, /* an expression */
};

/* What is asked, by all calls. */
static const struct operation *operation;
static operands two;
static expression tokens;
static char asked[1024]; /* for messages */

static int operand(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end || errno || n < INT_MIN || n > INT_MAX)
		bad_usage("%s is no 32-bit integer", text);
	return (int)n;
}

static void append(const char *word)
{
	static token list[CALC_MAX_TOKENS];
	static const char operators[] = "+-*/%";
	const char *op = strlen(word) == 1 ? strchr(operators, *word) : NULL;
	token *t = &list[tokens.expression_len++];

	if (tokens.expression_len > CALC_MAX_TOKENS)
		bad_usage("more than %d numbers and operators", CALC_MAX_TOKENS);
	tokens.expression_val = list;
	if (op)
		*t = (token){ .kind = TOKEN_OPERATOR, .token_u.operation = ADD + (int)(op - operators) };
	else
		*t = (token){ .kind = TOKEN_NUMBER, .token_u.number = operand(word) };
}

static void read_question(char **argv, int argc)
{
	for (int i = 0; i < argc; i++)
		snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s%s", i ? " " : "", argv[i]);
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		if (argc && strcmp(argv[0], operations[i].name) == 0)
			operation = &operations[i];
	if (!operation)
		bad_usage("the operation is add, subtract, multiply, divide, remainder or evaluate");
	if (operation->in_version_2) {
		if (argc != 3)
			bad_usage("%s wants two numbers", operation->name);
		two = (operands){ operand(argv[1]), operand(argv[2]) };
		return;
	}
	for (int i = 1; i < argc; i++)
		for (char *word = strtok(argv[i], " "); word; word = strtok(NULL, " "))
			append(word);
}

#endif
