package ipp

import (
	"slices"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/http/fetch"
	"printq/node"
	"printq/printer/pages"
	"printq/queue"
)

// Printer states (RFC 8011 §5.4.11).
const (
	printerIdle       = 3
	printerProcessing = 4
	printerStopped    = 5
)

// formats are taken where the device does not say what it takes: a document goes to the device as it is, and only who set the device up knows what it
// understands.
var formats = []string{
	pages.OctetStream, pages.PDF, pages.PWG, pages.URF, pages.JPEG, pages.PNG, pages.PostScript, pages.PCL, pages.ZPL, pages.Text,
	"application/vnd.cups-raw",
}

var compressions = []string{"none", "gzip", "deflate"}

// upTime is printer-up-time: seconds since 1970, the same on every member and after every restart, so that a job's times can
// be compared with it wherever they are read.
func upTime(t time.Time) int { return int(t.Unix()) }

// stateOf is a printer's state, its reasons as keywords, and a sentence for people.
func stateOf(p *node.PrinterStatus) (state int, reasons []string, message string) {
	blocked := 0
	for _, d := range p.Devices {
		reason := keyword(d.Reason)
		if reason == "" || reason == "none" {
			continue
		}
		if queue.Blocking(reason) {
			blocked++
		}
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
		if d.Detail != "" {
			message = d.Detail
		}
	}
	switch {
	case p.HoldNew && !p.Paused:
		state, reasons = stateBy(p, blocked), append(reasons, "hold-new-jobs")
	case p.Paused && p.Processing > 0:
		state, reasons = printerProcessing, append(reasons, "moving-to-paused")
	case p.Paused:
		state, reasons = printerStopped, append(reasons, "paused")
	case len(p.Devices) == 0:
		state, reasons, message = printerStopped, append(reasons, "other-error"), "the printer has no device: printq printer set"
	default:
		state = stateBy(p, blocked)
	}
	if reasons == nil {
		return state, []string{"none"}, ""
	}
	if p.Paused && message == "" {
		message = "paused: printq printer resume " + p.Name
	}
	return state, reasons, message
}

// stateBy is a printer's state by what its devices do, of which some are blocked.
func stateBy(p *node.PrinterStatus, blocked int) int {
	switch {
	case blocked == len(p.Devices):
		return printerStopped
	case p.Processing > 0:
		return printerProcessing
	}
	return printerIdle
}

// printerAttributes are all that a printer has.
func (h *Handler) printerAttributes(b base, p *node.PrinterStatus) *list {
	o := offersOf(p)
	l := &list{
		template: o.template(),
		named:    []goipp.Attribute{collections("media-col-database", o.mediaCollections()...)},
	}
	for _, part := range [][]goipp.Attribute{
		h.status(b, p), h.identity(b, p, o), o.tell(h.abilities(o)), subscriptionAbilities(), alerts(p), o.tell(o.mediaDescription()), o.tell(o.rasterAbilities()),
		firmware(h.options.Version),
	} {
		l.description = append(l.description, part...)
	}
	o.setDefaultMedia(l.template, description(p, "media-default"))
	return l
}

// status is what changes.
func (h *Handler) status(b base, p *node.PrinterStatus) []goipp.Attribute {
	state, reasons, message := stateOf(p)
	now := time.Now()
	return []goipp.Attribute{
		enums("printer-state", state), keywords("printer-state-reasons", reasons...), texts("printer-state-message", message),
		boolean("printer-is-accepting-jobs", !p.Rejecting),
		integers("queued-job-count", p.Pending+p.Held+p.Processing+p.Stopped),
		integers("printer-up-time", upTime(now)), dateTime("printer-current-time", now),
		integers("printer-state-change-time", upTime(changed(p.StateChanged))), dateTime("printer-state-change-date-time", changed(p.StateChanged)),
		integers("printer-config-change-time", upTime(changed(p.ConfigChanged))), dateTime("printer-config-change-date-time", changed(p.ConfigChanged)),
	}
}

// changed is when something changed; the epoch where that was not recorded.
func changed(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0)
	}
	return t
}

// identity is the printer's names and addresses.
func (h *Handler) identity(b base, p *node.PrinterStatus, o *offers) []goipp.Attribute {
	about := b.uri("http", "v1", "printers", p.Name)
	info := description(p, "printer-info")
	if info == "" {
		info = p.Name
	}
	geo := missing("printer-geo-location", goipp.TagUnknown)
	if at := description(p, "printer-geo-location"); at != "" {
		geo = uris("printer-geo-location", at)
	}
	attrs := []goipp.Attribute{
		names("printer-name", p.Name), texts("printer-info", info), texts("printer-location", description(p, "printer-location")),
		texts("printer-make-and-model", "printq"), names("printer-dns-sd-name", clip(p.Name, 63)),
		texts("printer-organization", description(p, "printer-organization")),
		texts("printer-organizational-unit", description(p, "printer-organizational-unit")),
		texts("printer-message-from-operator", description(p, "printer-message-from-operator")), geo,
		uris("printer-icons", b.uri("http", "icons", "printer-48.png"), b.uri("http", "icons", "printer-128.png"), b.uri("http", "icons", "printer-512.png")),
		uris("printer-more-info", about), uris("printer-supply-info-uri", about),
		uris("printer-uuid", uuid(h.clusterID(), "printer", p.Name)),
		texts("printer-device-id", o.deviceID()),
		enums("printer-type", printerType(p, o)), boolean("printer-is-shared", true),
	}
	attrs = append(attrs, h.ways(b, p.Name)...)
	if len(p.Settings.Devices) > 0 {
		attrs = append(attrs, uris("device-uri", p.Settings.Devices[0])) // lpstat -v
	}
	return attrs
}

// ways are the URIs that lead to a printer: the one that the client uses first.
func (h *Handler) ways(b base, name string) []goipp.Attribute {
	bases := []base{b}
	if !b.secure && h.options.TLSPort != 0 {
		bases = append(bases, b.encrypted(h.options.TLSPort))
	}
	var where, security, who []string
	for _, b := range bases {
		where, who = append(where, b.printer(name)), append(who, "requesting-user-name")
		if b.secure {
			security = append(security, "tls")
		} else {
			security = append(security, "none")
		}
	}
	return []goipp.Attribute{
		uris("printer-uri-supported", where...), keywords("uri-security-supported", security...), keywords("uri-authentication-supported", who...),
	}
}

// abilities are what this server takes, for a printer.
func (h *Handler) abilities(o *offers) []goipp.Attribute {
	kbytes := int(min(h.options.MaxDocument/1024, 1<<31-1))
	return []goipp.Attribute{
		enums("operations-supported", h.supported...),
		charsets("charset-configured", "utf-8"), charsets("charset-supported", "utf-8", "us-ascii"),
		languages("natural-language-configured", "en"), languages("generated-natural-language-supported", "en"),
		types("document-format-default", pages.OctetStream), types("document-format-supported", o.formats...), o.preferredFormat(),
		strs("reference-uri-schemes-supported", goipp.TagURIScheme, fetch.Schemes),
		keywords("compression-supported", compressions...), keywords("pdl-override-supported", "not-attempted"),
		boolean("multiple-document-jobs-supported", true), boolean("job-ids-supported", true),
		boolean("preferred-attributes-supported", false),
		keywords("which-jobs-supported", whichJobsSupported()...),
		keywords("job-creation-attributes-supported", append([]string{"job-name", "document-name", "ipp-attribute-fidelity"}, o.names()...)...),
		keywords("job-settable-attributes-supported", settableOfJobs...),
		keywords("printer-settable-attributes-supported", settableNames()...),
		keywords("document-settable-attributes-supported", "document-name"),
		keywords("identify-actions-default", identifyAction), keywords("identify-actions-supported", identifyAction),
		integers("multiple-operation-time-out", int(queue.OpenIdle.Seconds())), keywords("multiple-operation-time-out-action", "abort-job"),
		keywords("ipp-versions-supported", "1.0", "1.1", "2.0", "2.1", "2.2"),
		keywords("ipp-features-supported", "airprint-1.8", "ipp-everywhere", "subscription-object"),
		keywords("printer-get-attributes-supported", "document-format"),
		between("job-k-octets-supported", 0, kbytes), between("pdf-k-octets-supported", 0, kbytes), between("jpeg-k-octets-supported", 0, kbytes),
		keywords("pdf-versions-supported", "iso-32000-1_2008", "adobe-1.7", "adobe-1.6", "adobe-1.5", "adobe-1.4", "adobe-1.3"),
		boolean("color-supported", o.colour()),
		// Nobody measured; the standard has no "unknown" here.
		integers("pages-per-minute", 1), integers("pages-per-minute-color", 1),
		// -2: unknown (RFC 3805, prtMarkerSuppliesLevel).
		octets("printer-supply", "index=1;class=supplyThatIsConsumed;type=other;unit=percent;maxcapacity=100;level=-2;colorantname=unknown;"),
		texts("printer-supply-description", "Not known"),
	}
}

// firmware is what Windows's class driver and Mopria's ask for.
func firmware(version string) []goipp.Attribute {
	return []goipp.Attribute{
		names("printer-firmware-name", "printq"), texts("printer-firmware-patches", ""),
		texts("printer-firmware-string-version", version), octets("printer-firmware-version", clip(version, 64)),
		texts("mopria-certified", "1.3"),
	}
}
