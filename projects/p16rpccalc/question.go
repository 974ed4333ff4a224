package p16rpccalc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"unpipc/gobind/calc"
)

// Question is a calculation.
type Question struct {
	words      []string // as it was asked
	operation  calc.Operation
	a, b       int32
	expression []calc.Token // if operation is 0
}

// operators of an expression and the operations that do the same.
const operators = "+-*/%"

var operations = []calc.Operation{calc.Add, calc.Subtract, calc.Multiply, calc.Divide, calc.Remainder}

// Parse reads a question: an operation and two numbers, or "evaluate" and an expression.
func Parse(words []string) (Question, error) {
	q := Question{words: words}
	if len(words) > 0 && words[0] == "evaluate" {
		return q, q.parseExpression(strings.Fields(strings.Join(words[1:], " ")))
	}
	i := slices.IndexFunc(operations, func(op calc.Operation) bool { return len(words) > 0 && op.String() == words[0] })
	if i < 0 {
		return q, errors.New("the operation is add, subtract, multiply, divide, remainder or evaluate")
	}
	if len(words) != 3 {
		return q, fmt.Errorf("%s wants two numbers", words[0])
	}
	q.operation = operations[i]
	for i, n := range []*int32{&q.a, &q.b} {
		var err error
		if *n, err = parseNumber(words[1+i]); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *Question) parseExpression(words []string) error {
	if len(words) > calc.MaxTokens {
		return fmt.Errorf("more than %d numbers and operators", calc.MaxTokens)
	}
	for _, word := range words {
		if i := strings.Index(operators, word); i >= 0 && len(word) == 1 {
			q.expression = append(q.expression, calc.Token{Operation: operations[i]})
			continue
		}
		n, err := parseNumber(word)
		if err != nil {
			return err
		}
		q.expression = append(q.expression, calc.Token{Number: n})
	}
	return nil
}

func parseNumber(word string) (int32, error) {
	n, err := strconv.ParseInt(word, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s is no 32-bit integer", word)
	}
	return int32(n), nil
}

func (q *Question) ask(ctx context.Context, c *calc.Client) (int32, error) {
	if q.operation == 0 {
		return c.Evaluate(ctx, q.expression)
	}
	return c.Apply(ctx, q.operation, q.a, q.b)
}

func (q *Question) String() string { return strings.Join(q.words, " ") }
