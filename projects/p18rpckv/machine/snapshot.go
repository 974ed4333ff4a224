package machine

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"
)

// snapshot is a state that does not change any more.
type snapshot struct {
	keys     map[string]found
	sessions map[[16]byte]session
	applied  uint64
}

var errSnapshot = errors.New("the snapshot is damaged")

const signature = "unpipc key-value snapshot 1\n"

type (
	start struct{ Applied, Keys, Clients uint64 }
	keyed struct {
		Key      string
		Value    []byte
		Revision uint64
	}
	client struct {
		Client   [16]byte
		Sequence uint64
		Outcome  Outcome
	}
)

var table = crc32.MakeTable(crc32.Castagnoli)

// Persist writes the signature, the records, and a CRC of both.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	if err := s.write(sink); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

func (s *snapshot) write(to io.Writer) error {
	sum := crc32.New(table)
	out := bufio.NewWriter(io.MultiWriter(to, sum))
	_, err := out.WriteString(signature)
	encoder := gob.NewEncoder(out)
	put := func(record any) {
		if err == nil {
			err = encoder.Encode(record)
		}
	}
	put(start{s.applied, uint64(len(s.keys)), uint64(len(s.sessions))})
	for key, f := range s.keys {
		put(keyed{key, f.value, f.revision})
	}
	for id, c := range s.sessions {
		put(client{id, c.sequence, c.outcome})
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		_, err = fmt.Fprintf(to, "%08x", sum.Sum32())
	}
	return err
}

// Release does nothing: there is nothing to release.
func (*snapshot) Release() {}

// read reads all, and closes from.
func read(from io.ReadCloser) (*snapshot, error) {
	defer from.Close()
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	end := len(text) - 8
	if end < len(signature) || string(text[:len(signature)]) != signature ||
		fmt.Sprintf("%08x", crc32.Checksum(text[:end], table)) != string(text[end:]) {
		return nil, errSnapshot
	}
	decoder := gob.NewDecoder(bytes.NewReader(text[len(signature):end]))
	get := func(record any) {
		if err == nil {
			err = decoder.Decode(record)
		}
	}
	var begin start
	get(&begin)
	s := &snapshot{keys: map[string]found{}, sessions: map[[16]byte]session{}, applied: begin.Applied}
	for range begin.Keys {
		var k keyed
		if get(&k); err != nil {
			break
		}
		s.keys[k.Key] = found{k.Value, k.Revision}
	}
	for range begin.Clients {
		var c client
		if get(&c); err != nil {
			break
		}
		s.sessions[c.Client] = session{c.Sequence, c.Outcome}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSnapshot, err)
	}
	return s, nil
}
