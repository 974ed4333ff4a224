package main

import (
	"unpipc/projects/internal/exercise"
	"unpipc/projects/lectures/l01simplesort"
	"unpipc/projects/lectures/l02parallelsort"
	"unpipc/projects/lectures/l03memsort"
	"unpipc/projects/lectures/l04fifo"
	"unpipc/projects/lectures/l05key"
	"unpipc/projects/lectures/l06msgget"
	"unpipc/projects/lectures/l07msgsend"
	"unpipc/projects/lectures/l08sem"
	"unpipc/projects/lectures/l09event"
	"unpipc/projects/lectures/l10semaphore"
	"unpipc/projects/lectures/l11shm"
	"unpipc/projects/lectures/l12semposix"
	"unpipc/projects/lectures/l13socketpair"
	"unpipc/projects/lectures/l14sockdgram"
	"unpipc/projects/lectures/l15sockserver"
)

// lectures are the programs of the lecture, in its order.
var lectures = []*exercise.Exercise{
	&l01simplesort.Exercise,
	&l02parallelsort.Exercise,
	&l03memsort.Exercise,
	&l04fifo.Exercise,
	&l05key.Exercise,
	&l06msgget.Exercise,
	&l07msgsend.Exercise,
	&l08sem.Exercise,
	&l09event.Exercise,
	&l10semaphore.Exercise,
	&l11shm.Exercise,
	&l12semposix.Exercise,
	&l13socketpair.Exercise,
	&l14sockdgram.Exercise,
	&l15sockserver.Exercise,
}

// all are the exercises and the programs of the lecture.
func all() []*exercise.Exercise {
	return append(exercises[:len(exercises):len(exercises)], lectures...)
}
