package measure

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is where the figures come from; a field that cannot be had is empty.
type Machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"` // that this process may use
	MemoryBytes uint64 `json:"memory_bytes"`
	Virtual     bool   `json:"virtual"`  // the CPU says that it runs under a hypervisor
	Governor    string `json:"governor"` // of CPU 0's frequency
	Kernel      string `json:"kernel"`
	Go          string `json:"go"`
	Compiler    string `json:"compiler"` // of the C twins
	Load        string `json:"load"`     // averages of 1, 5 and 15 minutes at the start
	Date        string `json:"date"`
}

// DescribeMachine looks at this machine.
func DescribeMachine(ctx context.Context) Machine {
	m := Machine{
		Cores: runtime.NumCPU(),
		Go:    strings.TrimPrefix(runtime.Version(), "go") + " " + runtime.GOARCH,
		Date:  time.Now().Format(time.RFC3339),
	}
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(cpuinfo)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			m.CPU = strings.TrimSpace(value)
		case "flags":
			m.Virtual = strings.Contains(value+" ", " hypervisor ")
		}
	}
	governor, _ := os.ReadFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	m.Governor = strings.TrimSpace(string(governor))
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		m.Kernel = unix.ByteSliceToString(uts.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.MemoryBytes = uint64(info.Totalram) * uint64(info.Unit)
	}
	load, _ := os.ReadFile("/proc/loadavg")
	if f := strings.Fields(string(load)); len(f) > 2 {
		m.Load = strings.Join(f[:3], " ")
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	version, _ := exec.CommandContext(ctx, cc, "--version").Output()
	line, _, _ := bytes.Cut(version, []byte("\n"))
	m.Compiler = string(line)
	return m
}

// Busy says that others kept half a CPU or more busy in the last minute: rates
// then scatter, and only their ratio, within its spread, tells something.
func (m Machine) Busy() bool {
	var load float64
	_, err := fmt.Sscan(m.Load, &load)
	return err == nil && load >= 0.5
}

// String is the line that describes the machine.
func (m Machine) String() string {
	known := func(s string) string {
		if s == "" {
			return "unknown"
		}
		return s
	}
	kind := "not virtual"
	if m.Virtual {
		kind = "virtual"
	}
	return fmt.Sprintf("%s, %d cores, %.1f GiB, %s, governor %s; Linux %s; Go %s; %s; load %s; %s",
		known(m.CPU), m.Cores, float64(m.MemoryBytes)/(1<<30), kind, known(m.Governor),
		known(m.Kernel), m.Go, known(m.Compiler), known(m.Load), m.Date)
}
