// Package manage is the management API for operators, consoles and scripts:
// apps, prompts, calls, events, blacklists, and why calls go as they do. The
// code is the contract: its OpenAPI 3.1 document is at /openapi.json.
//
// An operation is added so: write a file named after its subject with a method
// that calls add with an op (operationId, path, summary, description, and who
// may: anyone, owner or operator), and name the method in subjects (operation.go).
// Whatever is not GET, and does not only ask, is audited: the handler says with
// note what it changes and how. ownApp, ownNumber and viewerOf hold it to what
// the token may see; an error of provision becomes the documented form by itself.
package manage
