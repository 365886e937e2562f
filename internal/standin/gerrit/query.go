// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"fmt"
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

// token is a word with its quotes taken off, or one of ( ) - AND OR NOT.
type token struct {
	text string
	mark bool // not a word
}

func lex(text string) ([]token, error) {
	var tokens []token
	for text = trim(text); text != ""; text = trim(text) {
		switch c := text[0]; c {
		case '(', ')', '-':
			tokens = append(tokens, token{string(c), true})
			text = text[1:]
			continue
		}
		word, quoted, rest, err := lexWord(text)
		if err != nil {
			return nil, err
		}
		mark := !quoted && (word == "AND" || word == "OR" || word == "NOT")
		tokens, text = append(tokens, token{word, mark}), rest
	}
	return tokens, nil
}

// lexWord cuts off text up to a space or parenthesis; quotes and braces keep
// those in.
func lexWord(text string) (word string, quoted bool, rest string, err error) {
	var b strings.Builder
	for text != "" && !strings.ContainsRune(" \t\r\n()", rune(text[0])) {
		closing := map[byte]string{'"': `"`, '{': "}"}[text[0]]
		if closing == "" {
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		inside, after, found := strings.Cut(text[1:], closing)
		if !found {
			return "", false, "", fmt.Errorf("missing %s at the end", closing)
		}
		b.WriteString(inside)
		quoted, text = true, after
	}
	return b.String(), quoted, text, nil
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
			err = fmt.Errorf("missing )")
		}
		return n, err
	case len(p.tokens) == 0 || p.tokens[0].mark:
		return node{}, fmt.Errorf("a term is missing")
	}
	field, value, found := strings.Cut(p.tokens[0].text, ":")
	if !found {
		field, value = "", p.tokens[0].text
	}
	p.tokens = p.tokens[1:]
	return node{field: field, value: value}, nil
}

// simple replaces a list of one by its member.
func (n node) simple() node {
	if len(n.kids) == 1 {
		return n.kids[0]
	}
	return n
}
