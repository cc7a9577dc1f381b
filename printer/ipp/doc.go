// Package ipp drives a printer that speaks IPP (RFC 8010, RFC 8011): the devices ipp:// and ipps://.
//
// A printer that makes a job before it is given the document (Create-Job, Send-Document, Get-Job-Attributes, Get-Jobs,
// Cancel-Job) is a [device.Spooler]; any other takes a Print-Job and is a blind [device.Stream]. [Printer.Open] says which.
//
// What a caller can rely on, and what it rests on:
//
//  1. Create-Job prints nothing. The job has [device.Job.Title] for its name: where the answer was lost, it is found by that. A
//     job is looked at by its name as well as its id before anything is done with it: after a reboot the id may be another's.
//  2. A document is sent to a job only where it has none: one that this process made and did not use, or of which the printer
//     says so. It is sent as the only and last one, so a printer refuses a second.
//  3. What a printer makes of a document that broke off is not known: it may print none of it, the part it has, or take the
//     part for the whole (a printer that reads a closed connection as the end does). So a job whose document broke off is
//     canceled, and is never reported as known to be complete. [device.Untouched] is reported only where the job ended
//     without having been processed, as its time-at-processing says, or because nothing was ever sent.
//  4. [device.Completed] is known to be complete where the printer says so and nothing speaks against it, and one of these
//     speaks for it: the printer acknowledged the document, to this process or to another that had it written to the log
//     (device.Sheet.Taken); job-impressions-completed is at least the document's pages. job-k-octets alone does not: what is
//     missing may be less than one. Against it speak: fewer impressions than pages (where the pages of
//     the format are certain), none where the printer counts those of other jobs, a second document,
//     job-completed-with-errors, fewer octets than the document has.
//  5. An ended job's progress is known where units are pages, one copy was left, and the printer counts impressions.
//  6. Where the printer cannot be reached, Follow and Cancel keep asking until their context ends: [device.ErrUnreachable] is
//     returned only where no byte of a document was sent.
//
// A job that says queued-in-device was passed on to something that does not report back. It counts as completed, with that as
// its detail: nothing better will be known.
//
// No connection outlives a call. Answers, time and requests are bounded.
package ipp
