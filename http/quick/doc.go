// Package quick serves small requests that come by the thousand over plain TCP: one goroutine, one read and one write for each. It leaves
// everything else to net/http.
//
// What a caller can rely on:
//
//  1. A request is served here if its head came in one piece, is spelt as [parse] says, and its path has a [Handler]. These are requests
//     that net/http takes for exactly the same, and of which nothing can be read in two ways. The first request on a
//     connection that is not one of them goes to net/http, with all that follows.
//  2. The handler sees what it would see below net/http, but that its request's context does not end when the client leaves: it ends
//     when the front is cut, or after a while. So a request that may wait for long has no handler here.
//  3. The request, its header and its writer are the connection's, and serve for the next request: a handler keeps none of them.
//     Strings and what it read of the body are its own.
//  4. An answer is gathered in memory and written at once. It always has a Content-Length.
//  5. A silent client has the buffer of one head, and the time that net/http would give it.
package quick
