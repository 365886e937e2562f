// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// node is a part of a parsed query: a term, or a negation, conjunction or
// disjunction of others.
type node struct {
	op   operator
	kids []node
	// field and value make a term; field is empty for text without an operator.
	field, value string
}

type operator int

const (
	term operator = iota
	not
	and
	or
)

// maxDepth bounds parentheses and negations.
const maxDepth = 100

// parseQuery reads the query language of Gerrit's user-search documentation:
// terms, quotes, parentheses, AND (also implied), OR, NOT and "-".
func parseQuery(text string) (node, error) {
	if trim(text) == "" {
		return node{}, errors.New("query is empty")
	}
	tokens, err := lex(text)
	if err != nil {
		return node{}, err
	}
	p := parser{tokens: tokens}
	n, err := p.or(0)
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %q", p.tokens[0].text)
	}
	return n, err
}

// token is a term, or one of ( ) - AND OR NOT.
type token struct {
	field, text string
	mark        bool // not a term
}

// fieldPattern is an operator's name at the beginning of a term.
var fieldPattern = regexp.MustCompile(`^[A-Za-z_]+:`)

func lex(text string) ([]token, error) {
	var tokens []token
	for text = trim(text); text != ""; text = trim(text) {
		if strings.ContainsRune("()-", rune(text[0])) {
			tokens, text = append(tokens, token{text: text[:1], mark: true}), text[1:]
			continue
		}
		field := fieldPattern.FindString(text)
		word, rest, err := lexWord(text[len(field):])
		switch {
		case err != nil:
			return nil, err
		case len(rest) == len(text)-len(field):
			return nil, fmt.Errorf("a value is missing after %s", field)
		}
		t := token{field: strings.TrimSuffix(field, ":"), text: word}
		raw := text[:len(text)-len(rest)] // a quoted "OR" is a word
		t.mark = raw == "AND" || raw == "OR" || raw == "NOT"
		tokens, text = append(tokens, t), rest
	}
	return tokens, nil
}

// lexWord cuts off text up to a space or parenthesis; quotes and braces keep
// those in, and are taken off.
func lexWord(text string) (word, rest string, err error) {
	var b strings.Builder
	for text != "" && !strings.ContainsRune(" \t\r\n()", rune(text[0])) {
		closing := ""
		switch text[0] {
		case '"':
			closing = `"`
		case '{':
			closing = "}"
		default:
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		inside, after, found := strings.Cut(text[1:], closing)
		if !found {
			return "", "", fmt.Errorf("missing %s at the end", closing)
		}
		b.WriteString(inside)
		text = after
	}
	return b.String(), text, nil
}

func trim(s string) string { return strings.TrimLeft(s, " \t\r\n") }

type parser struct{ tokens []token }

func (p *parser) next(mark string) bool {
	if len(p.tokens) > 0 && p.tokens[0].mark && p.tokens[0].text == mark {
		p.tokens = p.tokens[1:]
		return true
	}
	return false
}

func (p *parser) or(depth int) (node, error) {
	n := node{op: or}
	for {
		kid, err := p.and(depth)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, kid)
		if !p.next("OR") {
			return n.simple(), nil
		}
	}
}

func (p *parser) and(depth int) (node, error) {
	n := node{op: and}
	for {
		kid, err := p.not(depth)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, kid)
		explicit := p.next("AND")
		if !explicit && (len(p.tokens) == 0 || p.tokens[0].mark && (p.tokens[0].text == ")" || p.tokens[0].text == "OR")) {
			return n.simple(), nil
		}
	}
}

func (p *parser) not(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("more than %d levels", maxDepth)
	}
	switch {
	case p.next("-"), p.next("NOT"):
		kid, err := p.not(depth + 1)
		return node{op: not, kids: []node{kid}}, err
	case p.next("("):
		n, err := p.or(depth + 1)
		if err == nil && !p.next(")") {
			err = errors.New("missing )")
		}
		return n, err
	case len(p.tokens) == 0 || p.tokens[0].mark:
		return node{}, errors.New("a term is missing")
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return node{field: t.field, value: t.text}, nil
}

// simple replaces a list of one by its member.
func (n node) simple() node {
	if len(n.kids) == 1 {
		return n.kids[0]
	}
	return n
}
