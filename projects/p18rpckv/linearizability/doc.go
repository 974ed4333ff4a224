// Package linearizability has tests only: clients of a cluster whose servers are killed,
// stopped and cut off, and a checker that looks for one order of all that they were told.
// With UNPIPC_HISTORIES=folder it draws the histories.
package linearizability
