package ipctest

// Grace is for tests that wait for a leak to be found.
var Grace = &grace
