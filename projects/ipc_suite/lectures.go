package main

import "unpipc/projects/internal/exercise"

// lectures are the programs of the lecture, in its order.
var lectures = []*exercise.Exercise{}

// all are the exercises and the programs of the lecture.
func all() []*exercise.Exercise { return append(exercises[:len(exercises):len(exercises)], lectures...) }
