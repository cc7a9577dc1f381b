package ipp

import (
	"context"

	"github.com/OpenPrinting/goipp"
)

// An operation carries out one request. The target is not checked yet: it may name what is not there.
type operation func(ctx context.Context, q *request, t target) (*answer, error)

// table is what is supported.
func (h *Handler) table() map[goipp.Op]operation {
	return map[goipp.Op]operation{
		goipp.OpPrintJob:             h.printJob,
		goipp.OpPrintURI:             h.byURI(h.printJob),
		goipp.OpSendURI:              h.byURI(h.sendDocument),
		goipp.OpValidateJob:          h.validateJob,
		goipp.OpCreateJob:            h.createJob,
		goipp.OpSendDocument:         h.sendDocument,
		goipp.OpCloseJob:             h.closeJob,
		goipp.OpCancelJob:            h.cancelJob,
		goipp.OpGetJobAttributes:     h.getJobAttributes,
		goipp.OpGetJobs:              h.getJobs,
		goipp.OpGetPrinterAttributes: h.getPrinterAttributes,
		goipp.OpHoldJob:              h.holdJob,
		goipp.OpReleaseJob:           h.releaseJob,
		goipp.OpSetJobAttributes:     h.setJobAttributes,
		// An ended job is not begun again: it is copied, under a new id, and stays in the record as it was.
		goipp.OpRestartJob:   h.reprintJob,
		goipp.OpReprocessJob: h.reprintJob,
		goipp.OpResubmitJob:  h.resubmitJob,
		// printq's pause lets the job at hand end.
		goipp.OpPausePrinter:                h.pausePrinter,
		goipp.OpPausePrinterAfterCurrentJob: h.pausePrinter,
		goipp.OpResumePrinter:               h.resumePrinter,
		goipp.OpEnablePrinter:               h.enablePrinter,
		goipp.OpDisablePrinter:              h.disablePrinter,
		goipp.OpSetPrinterAttributes:        h.setPrinterAttributes,
		goipp.OpGetPrinterSupportedValues:   h.getPrinterSupportedValues,
		goipp.OpIdentifyPrinter:             h.identifyPrinter,
		goipp.OpCreatePrinterSubscriptions:  h.createPrinterSubscriptions,
		goipp.OpCreateJobSubscriptions:      h.createJobSubscriptions,
		goipp.OpGetSubscriptionAttributes:   h.getSubscriptionAttributes,
		goipp.OpGetSubscriptions:            h.getSubscriptions,
		goipp.OpRenewSubscription:           h.renewSubscription,
		goipp.OpCancelSubscription:          h.cancelSubscription,
		goipp.OpGetNotifications:            h.getNotifications,
		goipp.OpHoldNewJobs:                 h.holdNewJobs,
		goipp.OpReleaseHeldNewJobs:          h.releaseHeldNewJobs,
		goipp.OpRestartPrinter:              h.startupPrinter,
		goipp.OpShutdownPrinter:             h.shutdownPrinter,
		goipp.OpStartupPrinter:              h.startupPrinter,
		goipp.OpSuspendCurrentJob:           h.suspendCurrentJob,
		goipp.OpResumeJob:                   h.resumeJob,
		goipp.OpPromoteJob:                  h.promoteJob,
		goipp.OpScheduleJobAfter:            h.scheduleJobAfter,
		goipp.OpCancelDocument:              h.cancelDocument,
		goipp.OpGetDocumentAttributes:       h.getDocumentAttributes,
		goipp.OpGetDocuments:                h.getDocuments,
		goipp.OpSetDocumentAttributes:       h.setDocumentAttributes,
		// What has ended stays until its retention is over: the record of what was printed is not to be purged.
		goipp.OpPurgeJobs:        h.cancelJobs,
		goipp.OpCancelJobs:       h.cancelJobs,
		goipp.OpCancelMyJobs:     h.cancelMyJobs,
		goipp.OpCancelCurrentJob: h.cancelCurrentJob,
		goipp.OpCupsGetDefault:   h.cupsGetDefault,
		goipp.OpCupsSetDefault:   h.cupsSetDefault,
		goipp.OpCupsAcceptJobs:   h.enablePrinter,
		goipp.OpCupsRejectJobs:   h.disablePrinter,
		goipp.OpCupsGetPrinters:  h.cupsGetPrinters,
		goipp.OpCupsGetClasses:   h.cupsGetClasses,
		goipp.OpCupsMoveJob:      h.cupsMoveJob,
		goipp.OpCupsGetDocument:  h.cupsGetDocument,
	}
}
