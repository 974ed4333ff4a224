package htmlreport_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"unpipc/gobind/ipctest"
)

// browser is a headless Chromium that is spoken to over two pipes, in its DevTools
// protocol: JSON, each message with a NUL behind it.
type browser struct {
	t       *testing.T
	to      *os.File
	from    chan message
	last    int
	session string
	events  []message // of the page, since it was opened
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// patience is how long the browser may take for one answer, on a machine that is busy.
const patience = 2 * time.Minute

// startBrowser starts a browser with a profile of its own. At the end of the test all of
// its processes are gone.
func startBrowser(t *testing.T) *browser {
	var program string
	for _, name := range []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "google-chrome"} {
		if file, err := exec.LookPath(name); err == nil {
			program = file
			break
		}
	}
	ipctest.Require(t, program != "", "chromium-headless-shell")
	in, to, err := os.Pipe()
	require.NoError(t, err)
	from, out, err := os.Pipe()
	require.NoError(t, err)
	home := t.TempDir()
	log, err := os.Create(filepath.Join(home, "log"))
	require.NoError(t, err)
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad",
		"--no-first-run", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars", "--force-color-profile=srgb",
		"--remote-debugging-pipe", "--user-data-dir="+filepath.Join(home, "profile"), "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home)
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4, as the browser expects
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	for _, f := range []*os.File{in, out, log} {
		require.NoError(t, f.Close())
	}
	b := &browser{t: t, to: to, from: make(chan message, 1024)}
	go b.read(from)
	t.Cleanup(func() {
		// Before the folder of the profile is removed: cleanups run last in, first out.
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		_ = cmd.Wait() // killed
		ipctest.Eventually(t, func() bool { return !alive(cmd.Process.Pid) }, "all of the browser's processes are gone")
		to.Close()
		for range b.from { // until its reader has ended
		}
		if t.Failed() {
			said, _ := os.ReadFile(filepath.Join(home, "log"))
			t.Logf("the browser said:\n%s", said)
		}
	})
	return b
}

// alive says whether a process of the group still runs. A dead one that nobody waits for,
// as in a container without an init, does not.
func alive(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, _ := os.ReadFile(file)
		// After the name in parentheses: state, parent, group.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			return true
		}
	}
	return false
}

func (b *browser) read(from *os.File) {
	defer close(b.from)
	defer from.Close()
	r := bufio.NewReader(from)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			message
			Params json.RawMessage `json:"params"`
		}
		if json.Unmarshal(text[:len(text)-1], &m) == nil {
			m.message.Params = m.Params
			b.from <- m.message
		}
	}
}

// next is the next message of the browser.
func (b *browser) next() message {
	b.t.Helper()
	select {
	case m, ok := <-b.from:
		require.True(b.t, ok, "the browser has ended")
		if m.Method != "" {
			b.events = append(b.events, m)
		}
		return m
	case <-time.After(patience):
		require.FailNow(b.t, "no answer from the browser")
		return message{}
	}
}

// call calls a method and puts its result into result, which may be nil.
func (b *browser) call(method string, params map[string]any, result any) {
	b.t.Helper()
	b.last++
	text, err := json.Marshal(message{ID: b.last, Method: method, Session: b.session, Params: params})
	require.NoError(b.t, err)
	_, err = b.to.Write(append(text, 0))
	require.NoError(b.t, err)
	for {
		m := b.next()
		if m.ID != b.last {
			continue
		}
		require.Nil(b.t, m.Error, "%s: %+v", method, m.Error)
		if result != nil {
			require.NoError(b.t, json.Unmarshal(m.Result, result))
		}
		return
	}
}

// open opens a file in a new page of a width and waits until it is loaded.
func (b *browser) open(file string, width, height int, media map[string]any) {
	b.t.Helper()
	b.session = ""
	var target struct{ TargetID, SessionID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target)
	b.session, b.events = target.SessionID, nil
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	b.call("Emulation.setEmulatedMedia", media, nil)
	b.call("Page.setLifecycleEventsEnabled", map[string]any{"enabled": true}, nil)
	var begun struct{ LoaderID, ErrorText string }
	b.call("Page.navigate", map[string]any{"url": "file://" + file}, &begun)
	require.Empty(b.t, begun.ErrorText, file)
	for !b.loaded(begun.LoaderID) {
		b.next()
	}
}

// loaded says whether the events, which may have come before the answer that named the loader,
// tell of the end of what it loads, and not of the page before it.
func (b *browser) loaded(loader string) bool {
	for _, m := range b.events {
		var of struct{ LoaderID, Name string }
		if m.Method == "Page.lifecycleEvent" && json.Unmarshal(m.Params.(json.RawMessage), &of) == nil &&
			of.LoaderID == loader && of.Name == "load" {
			return true
		}
	}
	return false
}

// evaluate runs a script in the page and puts what it returns into result.
func (b *browser) evaluate(script string, result any) {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &answer)
	require.Nil(b.t, answer.ExceptionDetails, "%+v", answer.ExceptionDetails)
	if result != nil {
		require.NoError(b.t, json.Unmarshal(answer.Result.Value, result), "%s", answer.Result.Value)
	}
}

// complaints are what went wrong in the page, and what it wanted to load besides itself.
func (b *browser) complaints() []string {
	var all []string
	for _, m := range b.events {
		text := fmt.Sprintf("%s", m.Params)
		switch {
		case m.Session != b.session:
		case m.Method == "Runtime.exceptionThrown", m.Method == "Log.entryAdded", m.Method == "Runtime.consoleAPICalled":
			all = append(all, m.Method+": "+text)
		case m.Method == "Network.requestWillBeSent" && !strings.Contains(text, `"type":"Document"`):
			all = append(all, "loads something: "+text)
		}
	}
	return all
}

// picture takes a screenshot, of all of the page or of a part.
func (b *browser) picture(file string, clip map[string]any) []byte {
	b.t.Helper()
	params := map[string]any{"format": "png", "captureBeyondViewport": true}
	if clip != nil {
		params["clip"] = clip
	}
	var shot struct{ Data []byte }
	b.call("Page.captureScreenshot", params, &shot)
	require.NoError(b.t, os.WriteFile(file, shot.Data, 0o644))
	return shot.Data
}
