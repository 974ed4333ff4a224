package main

import (
	"unpipc/projects/internal/exercise"
	"unpipc/projects/p01pipeline"
	"unpipc/projects/p02fifo"
	"unpipc/projects/p03popen"
	"unpipc/projects/p04posixmq"
	"unpipc/projects/p05sysvmq"
	"unpipc/projects/p06mqbench"
	"unpipc/projects/p07prodcons"
	"unpipc/projects/p08rwlock"
	"unpipc/projects/p09reclock"
	"unpipc/projects/p10sempool"
	"unpipc/projects/p11barrier"
	"unpipc/projects/p12shmring"
	"unpipc/projects/p13shmimage"
	"unpipc/projects/p14mmapdb"
	"unpipc/projects/p15spsc"
	"unpipc/projects/p16rpccalc"
	"unpipc/projects/p17rpcauth"
	"unpipc/projects/p18rpckv"
	_ "unpipc/projects/p18rpckv/etcd" // a variant of its rows
)

// exercises are all there are, in the guide's order.
var exercises = []*exercise.Exercise{
	&p01pipeline.Exercise,
	&p02fifo.Exercise,
	&p03popen.Exercise,
	&p04posixmq.Exercise,
	&p05sysvmq.Exercise,
	&p06mqbench.Exercise,
	&p07prodcons.Exercise,
	&p08rwlock.Exercise,
	&p09reclock.Exercise,
	&p10sempool.Exercise,
	&p11barrier.Exercise,
	&p12shmring.Exercise,
	&p13shmimage.Exercise,
	&p14mmapdb.Exercise,
	&p15spsc.Exercise,
	&p16rpccalc.Exercise,
	&p17rpcauth.Exercise,
	&p18rpckv.Exercise,
}
