// Package calc is calc.x, the calculator of exercise 16, in Go types: a client and a
// server over [unpipc/gobind/sunrpc].
//
// Version 1 has add, subtract and multiply, whose result is a number and nothing else.
// Version 2 has more, and can say why there is no number.
package calc
