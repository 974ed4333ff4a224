package mechanism

import (
	"fmt"
	"slices"
	"strings"

	"unpipc/projects/internal/cli"
)

// Need is what is asked of a mechanism: an answer to each [Question] that the answers
// before it leave open. Size is the answer to "size" as a number.
type Need struct {
	For, Between, Messages, Priority, Keep, Speed, Crash, Readers, Writers, Poll, Descriptors string
	Size                                                                                      int
}

// Question is one thing to be known of a need.
type Question struct {
	Name    string // also the flag
	Text    string
	Answers []Answer // the first is the default; none: a size in bytes
	field   func(*Need) *string
	applies func(*Need) bool // nil: always
}

// Answer is one of a question's.
type Answer struct {
	Name, Text string
	only       string // the purpose that it is for; "": all
}

// Purposes, the answers of the first question.
const (
	Transfer  = "transfer"
	Call      = "call"
	State     = "state"
	Exclusion = "exclusion"
	Count     = "count"
	Meeting   = "meeting"
)

const (
	yes = "yes"
	no  = "no"
)

var noOrYes = []Answer{{Name: no, Text: "no"}, {Name: yes, Text: "yes"}}

// Questions are all there are, in the order in which they are asked.
var Questions = []Question{
	{Name: "for", Text: "What is it for?", field: func(n *Need) *string { return &n.For }, Answers: []Answer{
		{Name: Transfer, Text: "data goes from some to others"},
		{Name: Call, Text: "a request, and its answer"},
		{Name: State, Text: "several work on the same data"},
		{Name: Exclusion, Text: "one at a time, or many who read and one who writes"},
		{Name: Count, Text: "a number of equal things are lent"},
		{Name: Meeting, Text: "all wait until all have come"},
	}},
	{Name: "between", Text: "Who takes part?", field: func(n *Need) *string { return &n.Between }, Answers: []Answer{
		{Name: "related", Text: "processes of which one started the others, or all have one ancestor"},
		{Name: "unrelated", Text: "processes that find each other by a name"},
		{Name: "threads", Text: "threads of one process"},
		{Name: "machines", Text: "processes on several machines"},
	}},
	{Name: "messages", Text: "Must a message arrive as it was sent, with its boundaries?", Answers: noOrYes,
		field: func(n *Need) *string { return &n.Messages }, applies: purpose(Transfer)},
	{Name: "size", Text: "How large is one message, at most?", applies: purpose(Transfer, Call)},
	{Name: "priority", Text: "Must an urgent message overtake others?", Answers: noOrYes,
		field: func(n *Need) *string { return &n.Priority }, applies: purpose(Transfer)},
	{Name: "writers", Text: "How many write?", field: func(n *Need) *string { return &n.Writers },
		applies: purpose(Transfer, Call, State), Answers: []Answer{{Name: "one", Text: "one"}, {Name: "many", Text: "several"}}},
	{Name: "readers", Text: "How many read?", field: func(n *Need) *string { return &n.Readers },
		applies: purpose(Transfer, State, Exclusion), Answers: []Answer{
			{Name: "one", Text: "one at a time"},
			{Name: "share", Text: "several, each message goes to one of them", only: Transfer},
			{Name: "all", Text: "several at the same time, each sees everything"},
		}},
	{Name: "keep", Text: "How long must what nobody has taken yet last?", field: func(n *Need) *string { return &n.Keep },
		applies: purpose(Transfer, State), Answers: []Answer{
			{Name: "open", Text: "as long as somebody has it open"},
			{Name: "system", Text: "until the system goes down, even if no process has it open"},
			{Name: "disk", Text: "for good"},
		}},
	{Name: "crash", Text: "And if one of them is killed?", field: func(n *Need) *string { return &n.Crash },
		applies: func(n *Need) bool { return n.Between != "threads" }, Answers: []Answer{
			{Name: "any", Text: "then all may have to be started anew"},
			{Name: "survive", Text: "the others go on: nothing stays locked or taken"},
			{Name: "notice", Text: "that, and they learn of it, to repair what is half done"},
		}},
	{Name: "speed", Text: "May each operation call the kernel?", field: func(n *Need) *string { return &n.Speed },
		applies: purpose(Transfer, Call, State, Exclusion, Count), Answers: []Answer{
			{Name: "kernel", Text: "yes, a microsecond is nothing here"}, {Name: "user", Text: "no, not while nobody has to wait"},
		}},
	{Name: "poll", Text: "Must it be waited for together with other descriptors (poll, epoll)?", Answers: noOrYes,
		field: func(n *Need) *string { return &n.Poll }, applies: purpose(Transfer, Call)},
	{Name: "descriptors", Text: "Must open files, or proof of who sends, go along?", Answers: noOrYes,
		field: func(n *Need) *string { return &n.Descriptors }, applies: purpose(Transfer, Call)},
}

func purpose(of ...string) func(*Need) bool {
	return func(n *Need) bool { return slices.Contains(of, n.For) }
}

// Applies says whether the question has a meaning, given the answers before it.
func (q *Question) Applies(n *Need) bool { return q.applies == nil || q.applies(n) }

// For are the answers there are, given the answers before.
func (q *Question) For(n *Need) []Answer {
	return slices.DeleteFunc(slices.Clone(q.Answers), func(a Answer) bool { return a.only != "" && a.only != n.For })
}

// Plain is true of a question that is answered by yes or no.
func (q *Question) Plain() bool { return len(q.Answers) == 2 && q.Answers[0].Name == no }

// Default is the answer of one who says nothing.
func (q *Question) Default() string {
	if q.Answers == nil {
		return "64"
	}
	return q.Answers[0].Name
}

// Set puts an answer into the need: its name, or its number from 1, or a size.
func (q *Question) Set(n *Need, answer string) error {
	if q.Answers == nil {
		size, err := cli.ParseSize(answer)
		if err != nil {
			return err
		}
		n.Size = size
		return nil
	}
	var names []string
	for i, a := range q.For(n) {
		if answer == a.Name || answer == fmt.Sprint(i+1) || q.Plain() && answer == a.Name[:1] {
			*q.field(n) = a.Name
			return nil
		}
		names = append(names, a.Name)
	}
	return fmt.Errorf("%q is none of %s", answer, strings.Join(names, ", "))
}

// Complete gives every question that applies and has no answer its default, and takes the
// answer of every one that does not apply.
func (n *Need) Complete() {
	for i := range Questions {
		q := &Questions[i]
		switch {
		case q.Answers == nil:
			if !q.Applies(n) {
				n.Size = 0
			} else if n.Size == 0 {
				_ = q.Set(n, q.Default()) // it is one
			}
		case !q.Applies(n):
			*q.field(n) = ""
		case *q.field(n) == "":
			*q.field(n) = q.Default()
		}
	}
}
