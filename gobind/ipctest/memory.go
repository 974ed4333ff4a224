package ipctest

import (
	"os"
	"strconv"
	"strings"
)

// Resident is this process's memory that is in use, in bytes: VmRSS.
func Resident() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		panic(err)
	}
	return kib << 10
}
