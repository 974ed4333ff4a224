package raftnet

import (
	"context"
	"time"

	"github.com/hashicorp/raft"

	"unpipc/gobind/raftrpc"
)

// AppendEntries sends entries to a peer, in several calls if one cannot hold them.
func (t *Transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	*resp = raft.AppendEntriesResponse{}
	part := raftrpc.AppendArgs{
		Header: headerTo(args.RPCHeader), Term: args.Term, PrevIndex: args.PrevLogEntry, PrevTerm: args.PrevLogTerm,
	}
	for rest := args.Entries; ; {
		var entries []*raft.Log
		entries, rest = split(rest)
		last := part.PrevIndex + uint64(len(entries))
		part.Entries = entriesTo(entries)
		// What the peer has behind these entries it may have from a leader that has lost
		// them: the paper's figure 2 takes the minimum too.
		part.Commit = min(args.LeaderCommitIndex, last)
		began := t.replicas.now()
		got, err := call(t, "append to", target, func(ctx context.Context, c *raftrpc.Client) (raftrpc.AppendResult, error) {
			return c.Append(ctx, &part)
		})
		t.replicas.note(id, args.Term, last, began, got.Success && !isHeartbeat(&part), err == nil && got.Term == args.Term, err)
		if err != nil {
			return err
		}
		*resp = raft.AppendEntriesResponse{
			RPCHeader: headerFrom(got.Header), Term: got.Term, LastLog: got.LastIndex,
			Success: got.Success, NoRetryBackoff: got.NoBackoff,
		}
		if !got.Success || len(rest) == 0 {
			return nil
		}
		part.PrevIndex, part.PrevTerm = last, entries[len(entries)-1].Term
	}
}

// isHeartbeat says whether a call only says that there is a leader.
func isHeartbeat(a *raftrpc.AppendArgs) bool {
	return a.Term != 0 && len(a.Addr) > 0 && a.PrevIndex == 0 && a.PrevTerm == 0 && len(a.Entries) == 0 && a.Commit == 0
}

// split cuts off what one call holds: one entry at least.
func split(entries []*raft.Log) (part, rest []*raft.Log) {
	bytes := 0
	for i, e := range entries {
		bytes += len(e.Data) + len(e.Extensions) + 64
		if i > 0 && bytes > maxAppend || i == raftrpc.MaxEntries {
			return entries[:i], entries[i:]
		}
	}
	return entries, nil
}

func entriesTo(logs []*raft.Log) []raftrpc.Entry {
	entries := make([]raftrpc.Entry, len(logs))
	for i, l := range logs {
		entries[i] = raftrpc.Entry{
			Index: l.Index, Term: l.Term, Kind: uint32(l.Type), Payload: l.Data, Extensions: l.Extensions,
		}
		if !l.AppendedAt.IsZero() {
			entries[i].Appended = l.AppendedAt.UnixNano()
		}
	}
	return entries
}

func entriesFrom(entries []raftrpc.Entry) ([]*raft.Log, error) {
	var logs []*raft.Log
	for _, e := range entries {
		if e.Kind > uint32(raft.LogConfiguration) {
			return nil, raftrpc.Refusal("an entry of a kind that is not known")
		}
		l := &raft.Log{Index: e.Index, Term: e.Term, Type: raft.LogType(e.Kind), Data: e.Payload, Extensions: e.Extensions}
		if e.Appended != 0 {
			l.AppendedAt = time.Unix(0, e.Appended)
		}
		logs = append(logs, l)
	}
	return logs, nil
}
