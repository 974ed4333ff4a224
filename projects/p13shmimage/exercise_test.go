package p13shmimage

import (
	"testing"

	"unpipc/projects/internal/script"
)

func TestScripts(t *testing.T) { script.Test(t, "p13shmimage") }
