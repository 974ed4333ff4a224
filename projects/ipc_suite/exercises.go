package main

import (
	"unpipc/projects/internal/exercise"
	"unpipc/projects/p01pipeline"
	"unpipc/projects/p02fifo"
	"unpipc/projects/p03popen"
	"unpipc/projects/p04posixmq"
	"unpipc/projects/p05sysvmq"
	"unpipc/projects/p06mqbench"
)

// exercises are all there are, in the guide's order.
var exercises = []*exercise.Exercise{
	&p01pipeline.Exercise,
	&p02fifo.Exercise,
	&p03popen.Exercise,
	&p04posixmq.Exercise,
	&p05sysvmq.Exercise,
	&p06mqbench.Exercise,
}
