package ipctest

// Grace is for tests that wait for a leak to be found.
var Grace = &grace

// Persist is what [AssertInOrder] makes its calls by.
var Persist = persist
