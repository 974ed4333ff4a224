package p05sysvmq

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTypeOfResponses(t *testing.T) {
	assert.EqualValues(t, 5001, ResponseType(5001), "the client's pid")
	assert.NotEqualValues(t, RequestType, ResponseType(1), "responses to process 1 must not be requests")
	for _, pid := range []int{1, 2, 5001, 1 << 22} {
		assert.Equal(t, pid, clientOf(ResponseType(pid)))
	}
	for _, nobody := range []int64{RequestType, math.MaxInt32 + 1, math.MaxInt64} {
		assert.Zero(t, clientOf(nobody))
	}
}

func TestRequestsAndResponsesKeepWhatIsInThem(t *testing.T) {
	req := request{pid: 5001, started: 1 << 40, nonce: 1<<64 - 1, deadline: 7, text: []byte("a\x00b")}
	data := req.append(nil)
	assert.Len(t, data, requestHead+3)
	got, err := parseRequest(data)
	require.NoError(t, err)
	assert.Equal(t, req, got)

	resp := response{nonce: 1<<64 - 1, deadline: 7, status: 3, text: []byte("a\x00b")}
	data = resp.append(nil)
	assert.Len(t, data, responseHead+3)
	back, ok := parseResponse(data)
	assert.True(t, ok)
	assert.Equal(t, resp, back)
}

func TestAResponseIsNeverLongerThanItsRequest(t *testing.T) {
	for _, text := range []string{"", "HELLO"} {
		req := request{text: []byte(text)}
		resp := response{text: []byte(text + suffix)}
		assert.LessOrEqual(t, len(resp.append(nil)), len(req.append(nil)))
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	whole := (&request{pid: 5001}).append(nil)
	for n := range requestHead {
		_, err := parseRequest(whole[:n])
		assert.Equal(t, errShort, err)
	}
	_, err := parseRequest(make([]byte, requestHead))
	assert.Equal(t, errMagic, err)
	for _, pid := range []int{0, -1, math.MinInt32} {
		_, err := parseRequest((&request{pid: pid}).append(nil))
		assert.ErrorContains(t, err, "no client's pid")
	}
	_, ok := parseResponse(make([]byte, responseHead-1))
	assert.False(t, ok)
}

func FuzzParse(f *testing.F) {
	f.Add((&request{pid: 5001, text: []byte("HELLO")}).append(nil))
	f.Add((&response{text: []byte("HELLO")}).append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if req, err := parseRequest(data); err == nil {
			assert.Equal(t, data, req.append(nil))
			assert.Positive(t, req.pid)
		}
		if resp, ok := parseResponse(data); ok {
			assert.Equal(t, data, resp.append(nil))
		}
	})
}
