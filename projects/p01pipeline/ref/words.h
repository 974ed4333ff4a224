/*
 * Words as POSIX sh splits them: blanks separate, single quotes keep all, double
 * quotes all but \ before $ ` " \ and newline, a backslash the next character.
 * Nothing is expanded. XCU 2.2.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdlib.h>
#include <string.h>

/*
 * Splits text into a NULL-terminated vector, caller frees (words, then vector).
 * Returns NULL and says why in *error when a quote or a backslash is left open.
 */
static char **split_words(const char *text, const char **error)
{
	size_t room = strlen(text) + 2;
	char **words = calloc(room / 2 + 2, sizeof *words);
	size_t n = 0;
	const char *s = text;

	*error = NULL;
	while (*error == NULL) {
		s += strspn(s, " \t\n");
		while (s[0] == '\\' && s[1] == '\n') /* a line that goes on */
			s += 2 + strspn(s + 2, " \t\n");
		if (*s == '\0')
			return words;
		char *out = malloc(room);
		words[n++] = out;
		char quote = 0;
		for (; *s != '\0' && (quote || !strchr(" \t\n", *s)); s++) {
			if (quote == '\'' ? *s == '\'' : quote == '"' && *s == '"') {
				quote = 0;
			} else if (!quote && (*s == '\'' || *s == '"')) {
				quote = *s;
			} else if (*s == '\\' && quote != '\'') {
				if (s[1] == '\0' && !quote) {
					*error = "a backslash before nothing";
					break;
				}
				if (s[1] == '\n')
					s++;
				else if (!quote || (s[1] && strchr("$`\"\\", s[1])))
					*out++ = *++s;
				else
					*out++ = '\\';
			} else {
				*out++ = *s;
			}
		}
		*out = '\0';
		if (quote)
			*error = quote == '"' ? "a double quote that is not closed"
					      : "a single quote that is not closed";
	}
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	free(words);
	return NULL;
}

#endif
