package p02fifo

import (
	"fmt"
	"strconv"
)

// MaxDepth is how deep parentheses and signs may nest.
const MaxDepth = 100

// Evaluate calculates one line of arithmetic, by recursive descent:
//
//	sum     = product { ("+" | "-") product }
//	product = factor { ("*" | "/" | "%") factor }
//	factor  = "-" factor | "(" sum ")" | number
//	number  = digits [ "." [digits] ] [exponent] | "." digits [exponent]
//
// A number without point and exponent is a 64-bit integer. Integers stay exact:
// a result beyond 64 bits is an error, a quotient that is no integer a decimal.
// Decimals are doubles, printed with 15 digits. % takes the sign of its left
// side, as in C. The error is a [CalcError]; positions count bytes from 1.
func Evaluate(operation string) (string, error) {
	p := parser{text: operation}
	v, err := p.sum()
	if err != nil {
		return "", err
	}
	if p.peek(); p.at < len(p.text) {
		return "", p.unexpected()
	}
	return v.String(), nil
}

type parser struct {
	text  string
	at    int
	depth int
}

func (p *parser) sum() (value, error) {
	left, err := p.product()
	for err == nil {
		op := p.peek()
		if op != '+' && op != '-' {
			break
		}
		left, err = p.operate(op, left, p.product)
	}
	return left, err
}

func (p *parser) product() (value, error) {
	left, err := p.factor()
	for err == nil {
		op := p.peek()
		if op != '*' && op != '/' && op != '%' {
			break
		}
		left, err = p.operate(op, left, p.factor)
	}
	return left, err
}

// operate reads the operator at hand and its right side, and applies it.
func (p *parser) operate(op byte, left value, right func() (value, error)) (value, error) {
	p.at++
	r, err := right()
	if err != nil {
		return value{}, err
	}
	return apply(op, left, r)
}

func (p *parser) factor() (value, error) {
	opening := p.peek()
	if opening != '-' && opening != '(' {
		return p.number("")
	}
	if p.depth++; p.depth > MaxDepth {
		return value{}, CalcError("nested too deeply")
	}
	defer func() { p.depth-- }()
	p.at++
	if opening == '(' {
		v, err := p.sum()
		if err != nil {
			return value{}, err
		}
		if p.peek() != ')' {
			return value{}, p.unexpected()
		}
		p.at++
		return v, nil
	}
	if next := p.peek(); next == '.' || digit(next) {
		// With its sign: the smallest integer has no positive counterpart.
		return p.number("-")
	}
	v, err := p.factor()
	if err != nil {
		return value{}, err
	}
	return apply('-', value{}, v)
}

func (p *parser) number(sign string) (value, error) {
	end := p.digits(p.at)
	found := end > p.at
	decimal := end < len(p.text) && p.text[end] == '.'
	if decimal {
		from := end + 1
		end = p.digits(from)
		found = found || end > from
	}
	if !found {
		return value{}, p.unexpected()
	}
	if end < len(p.text) && (p.text[end] == 'e' || p.text[end] == 'E') {
		exponent := end + 1
		if exponent < len(p.text) && (p.text[exponent] == '+' || p.text[exponent] == '-') {
			exponent++
		}
		if last := p.digits(exponent); last > exponent {
			decimal, end = true, last
		}
	}
	text := sign + p.text[p.at:end]
	p.at = end
	v := value{decimal: decimal}
	var err error // out of range is all that can be wrong
	if decimal {
		v.f, err = strconv.ParseFloat(text, 64)
	} else {
		v.i, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		return value{}, ErrOverflow
	}
	return v, nil
}

// digits is the end of the digits that begin at from.
func (p *parser) digits(from int) int {
	for from < len(p.text) && digit(p.text[from]) {
		from++
	}
	return from
}

// peek skips blanks and returns the character behind them, 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) unexpected() error {
	if p.at == len(p.text) {
		return CalcError(fmt.Sprintf("unexpected end at %d", p.at+1))
	}
	return CalcError(fmt.Sprintf("unexpected '%s' at %d", show(p.text[p.at:p.at+1]), p.at+1))
}
