package server

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/trust"
)

// What a route asks of its caller, besides the permissions of tenants/access/policy.csv.
const (
	public   = "public"    // anybody; the session is not even read
	anyone   = "anyone"    // anybody, known where they are signed in
	signedIn = "signed-in" // anybody with a session, in a tenant or not
	keyRead  = "key:read"  // an API key with this scope
	keyWrite = "key:write"

	// fresh stands behind a permission that also asks for a recent proof that the person is still who signed in: "apps:manage" + fresh.
	// It is for forms, not for pages: see confirm.go.
	fresh = " fresh"
)

// Route is one line of the table: a method and path, who may use it, and what answers.
type Route struct {
	Method     string
	Path       string
	Permission string
	Handler    fiber.Handler
}

// Routes is every route of the server. A new feature starts with a line here, and a row in the table of routes_test.go.
func (s *Server) Routes() []Route {
	const get, post, patch = fiber.MethodGet, fiber.MethodPost, fiber.MethodPatch

	return []Route{
		{get, "/healthz", public, s.healthz},
		{get, "/readyz", public, s.readyz},
		{get, "/static/:version/:name", public, s.asset},

		{get, "/hooks/whatsapp/:app", public, s.handshake},
		{post, "/hooks/whatsapp/:app", public, s.receive},

		{get, "/", anyone, s.start},
		{get, "/help", anyone, s.helpPage},
		{get, "/more", signedIn, s.morePage},
		{get, "/login", anyone, s.loginPage},
		{post, "/login", anyone, s.login},
		{get, beginPath, anyone, s.beginPage},
		{post, beginPath, anyone, s.begin},
		{get, beginPath + "/:token", anyone, s.signupLinkPage},
		{post, beginPath + "/:token", anyone, s.finishSignup},
		{get, emailPath + ":token", anyone, s.emailLinkPage},
		{post, emailPath + ":token", anyone, s.takeEmail},
		{get, undoEmailPath + ":token", anyone, s.undoEmailPage},
		{post, undoEmailPath + ":token", anyone, s.undoEmail},
		{post, "/login/passkey", anyone, s.askPasskey},
		{get, stepPath, anyone, s.stepPage},
		{post, stepPath, anyone, s.secondStep},
		{get, "/forgot", anyone, s.forgotPage},
		{post, "/forgot", anyone, s.forgot},
		{get, "/reset/:token", anyone, s.resetPage},
		{post, "/reset/:token", anyone, s.reset},
		{get, "/invite/:token", anyone, s.invitePage},
		{post, "/invite/:token", anyone, s.acceptInvitation},
		{get, trust.Prefix + ":slug", anyone, s.trustPage},
		{post, trust.Prefix + ":slug", anyone, s.askTrust},
		{get, "/mails/leave/:token", anyone, s.leavePage},
		{get, sharedPath + ":token", anyone, s.sharedPage},
		{post, sharedPath + ":token", anyone, s.openShared},
		{post, "/mails/leave/:token", public, s.leave}, // its address is its proof, and a mail program knows no form token
		{post, "/language", anyone, s.language},
		{post, "/theme", anyone, s.theme},
		{get, confirmPath, signedIn, s.confirmPage},
		{post, confirmPath, signedIn, s.confirm},
		{post, "/logout", signedIn, s.logout},
		{post, "/logout/everywhere", signedIn, s.logoutOthers},
		{post, "/logout/devices/:handle", signedIn, s.endDevice},
		{get, "/choose", signedIn, s.choosePage},
		{post, "/tenant", signedIn, s.switchTenant},

		{get, "/home", "home:read", s.homePage},
		{get, eventsPath, "home:read", s.events},
		{post, "/news/:id/read", "home:read", s.putAwayNews},
		{get, changesPath, "facts:read", s.changesPage},
		{post, changesPath + "/read", "facts:read", s.markChangesRead},
		{get, answersPath, "answers:read", s.answersPage},
		{post, answersPath, "answers:edit", s.addAnswer},
		{get, answersPath + "/new", "answers:edit", s.newAnswerPage},
		{get, answersPath + "/:id", "answers:read", s.answerPage},
		{post, answersPath + "/:id", "answers:edit", s.editAnswer},
		{get, answersPath + "/:id/edit", "answers:edit", s.editAnswerPage},
		{post, answersPath + "/:id/used", "answers:use", s.useAnswer},
		{post, answersPath + "/:id/vote", "answers:use", s.voteAnswer},
		{post, answersPath + "/:id/check", "answers:edit", s.checkAnswer},
		{post, answersPath + "/:id/restore", "answers:edit", s.restoreAnswer},
		{get, macrosPath, "macros:read", s.macrosPage},
		{get, questionsPath, "questions:read", s.questionsPage},
		{post, questionsPath, "answers:use", s.logQuestion},
		{get, proposePath, "answers:use", s.proposePage},
		{post, proposePath, "answers:use", s.propose},
		{post, questionsPath + "/:id/undo", "answers:use", s.unlogQuestion},
		{post, questionsPath + "/:id/card", "answers:edit", s.answerQuestion},
		{post, questionsPath + "/:id/remove", "answers:edit", s.forgetQuestion},
		{get, startPath, "start:run", s.stepsPage},
		{get, startPath + "/live", "start:run", s.stepsLive},
		{post, startPath + "/:step", "start:run", s.takeStep},
		{get, monthlyPath, "reports:read", s.monthlyPage},
		{get, monthlyPath + "/rows", "reports:read", s.monthlyRows},
		{get, overviewPath, "overview:read", s.overviewPage},
		{get, adoptionPath + "/people", "overview:read", s.adoptionPeople},
		{get, adoptionPath + "/export", "overview:read", s.exportAdoption},
		{get, forecastPath, "forecast:read", s.forecastPage},
		{post, forecastPath + "/book", "settings:edit", s.sayBook},
		{get, reachPath, "reach:read", s.reachPage},
		{post, segmentsPath, "reach:save", s.saveSegment},
		{get, segmentsPath + "/:id", "reach:read", s.openSegment},
		{post, segmentsPath + "/:id/remove", "reach:save", s.removeSegment},
		{get, "/numbers", "numbers:read", s.numbersPage},
		{get, "/numbers/new", "numbers:connect", s.numberNewPage},
		{get, "/numbers/new/manual", "numbers:connect", s.numberManualPage},
		{get, signupPath, "numbers:connect", s.signupPage},
		{post, signupPath, "numbers:connect", s.signup},
		{post, "/numbers", "numbers:connect" + fresh, s.connectNumber},
		{get, "/numbers/items/:item", "ingest:read", s.itemPage},
		{post, "/numbers/replay", "ingest:replay", s.replayItems},
		{get, "/numbers/:id", "numbers:read", s.numberPage},
		{get, "/numbers/:id/live", "numbers:read", s.numberLive},
		{get, "/numbers/:id/health", "numbers:read", s.healthPage},
		{get, "/numbers/:id/health/live", "numbers:read", s.healthLive},
		{post, "/numbers/:id/check", "numbers:connect", s.recheckNumber},
		{post, "/numbers/:id/token", "numbers:connect" + fresh, s.replaceToken},
		{post, "/numbers/:id/disconnect", "numbers:connect", s.disconnectNumber},
		{post, "/numbers/:id/reconnect", "numbers:connect", s.reconnectNumber},
		{get, "/numbers/:id/phone-free", "numbers:connect", s.phoneFreePage},
		{post, "/numbers/:id/phone-free", "numbers:connect", s.setPhoneFree},
		{post, "/numbers/:id/sync", "numbers:connect", s.startSync},
		{get, "/numbers/:id/items/:item", "ingest:read", s.itemPage},
		{post, "/numbers/:id/replay", "ingest:replay", s.replayItems},
		{get, usernamesPath, "usernames:read", s.usernamesPage},
		{get, ideasPath, "usernames:read", s.ideasPage},
		{post, ideasPath, "usernames:claim", s.keepIdea},
		{get, watchPath, "usernames:read", s.watchPage},
		{post, watchPath, "usernames:claim", s.noteLookalike},
		{get, kitPath, "usernames:read", s.kitPage},
		{get, trustPath, "trust:edit", s.trustSettings},
		{post, trustPath, "trust:edit", s.saveTrust},
		{post, trustPath + "/requests/:id", "trust:edit", s.answeredTrust},
		{get, usernamesPath + "/:id", "usernames:read", s.usernamePage},
		{post, usernamesPath + "/:id/plan", "usernames:claim", s.planUsername},
		{post, usernamesPath + "/:id/record", "usernames:claim", s.recordUsername},
		{post, usernamesPath + "/:id/look", "usernames:claim", s.lookAtUsername},
		{get, usernamesPath + "/:id/confirm", "usernames:claim", s.confirmUsername},
		{post, usernamesPath + "/:id/claim", "usernames:claim", s.claimUsername},
		{post, usernamesPath + "/:id/transfer", "usernames:claim", s.transferUsername},
		{post, usernamesPath + "/:id/delete", "usernames:claim", s.deleteUsername},
		{get, "/apps", "apps:read", s.appsPage},
		{post, "/apps", "apps:manage" + fresh, s.addApp},
		{post, "/apps/:name/rotate", "apps:manage" + fresh, s.rotateApp},

		{get, "/op", "op:read", s.opPage},
		{get, "/op/held", "op:read", s.heldPage},
		{get, opTenantsPath, "op:read", s.opTenantsPage},
		{post, opTenantsPath, "op:write", s.addTenant},
		{get, opTenantsPath + "/new", "op:write", s.newTenantPage},
		{get, opTenantsPath + "/:id", "op:read", s.tenantPage},
		{post, opTenantsPath + "/:id/state", "op:write" + fresh, s.setTenantState},
		{post, opTenantsPath + "/:id/limits", "op:write", s.setLimits},
		{post, opTenantsPath + "/:id/notes", "op:write", s.addNoteOn},
		{get, opDriftPath, "op:read", s.opDriftPage},
		{get, opJobsPath, "op:read", s.opJobsPage},
		{post, opJobsPath + "/retry", "op:write", s.retryJobs},
		{get, opUsagePath, "op:read", s.opUsagePage},
		{get, opUsagePath + "/export", "op:read", s.exportUsage},
		{get, opNewsPath, "op:read", s.opNewsPage},
		{post, opNewsPath, "op:write", s.announce},
		{post, opNewsPath + "/:id/end", "op:write", s.endAnnouncement},
		{get, opAuditPath, "op:read", s.opAuditPage},
		{post, opAuditPath + "/verify", "op:write", s.verifyOpAudit},
		{get, opAccessPath, "op:access", s.opAccessPage},
		{post, opAccessPath, "op:access", s.askAccess},
		{post, opAccessPath + "/leave", signedIn, s.leaveBusiness},
		{post, opAccessPath + "/:id/enter", "op:access" + fresh, s.enterBusiness},
		{get, opItemsPath, "op:read", s.opItemsPage},
		{get, opFactsPath, "op:read", s.opFactsPage},
		{get, opFactsPath + "/new", "op:write", s.newFactPage},
		{post, opFactsPath, "op:write", s.addFact},
		{get, opFactsPath + "/:key", "op:read", s.opFactPage},
		{post, opFactsPath + "/:key", "op:write", s.editFact},

		{get, "/resolve", "queue:read", s.queuePage},
		{get, "/resolve/next", "queue:decide", s.nextCase},
		{post, bulkPath, "queue:decide", s.chooseCases},
		{get, bulkPath + "/:id", "queue:read", s.bulkPage},
		{post, bulkPath + "/:id", "queue:decide", s.runBulk},
		{post, bulkPath + "/:id/undo", "queue:decide", s.undoBulk},
		{get, "/resolve/:id", "queue:read", s.casePage},
		{get, "/resolve/:id/event", "queue:read", s.caseEvent},
		{post, "/resolve/:id", "queue:decide", s.decideCase},
		{post, "/resolve/:id/undo", "queue:decide", s.takeBack},
		{get, "/resolve/:id/ask", "queue:decide", s.askCasePage},
		{post, "/resolve/:id/ask", "queue:decide", s.askCase},
		{get, inboxPath, "conversations:read", s.inboxPage},
		{get, inboxPath + "/:id", "conversations:read", s.talkPage},
		{get, inboxPath + "/:id/live", "conversations:read", s.talkLive},
		{post, inboxPath + "/:id", "conversations:answer", s.sendReply},
		{post, inboxPath + "/:id/cancel", "conversations:answer", s.cancelMessage},
		{post, inboxPath + "/:id/notes", "conversations:answer", s.addNote},
		{post, inboxPath + "/:id/assign", "conversations:answer", s.assignTalk},
		{post, inboxPath + "/:id/done", "conversations:answer", s.talkDone},
		{get, mediaPath + "/:message", "conversations:read", s.mediaFile},
		{get, "/contacts", "contacts:read", s.contactsPage},
		{get, uploadPath, "contacts:import", s.importsPage},
		{post, uploadPath, "contacts:import", s.uploadList},
		{get, "/contacts/import/sample", "contacts:import", s.sampleList},
		{get, "/contacts/import/:id", "contacts:import", s.importPage},
		{get, "/contacts/import/:id/live", "contacts:import", s.importLive},
		{get, "/contacts/import/:id/problems", "contacts:import", s.importProblems},
		{post, "/contacts/import/:id/columns", "contacts:import", s.nameColumns},
		{post, "/contacts/import/:id/run", "contacts:import", s.runImport},
		{post, "/contacts/import/:id/stop", "contacts:import", s.stopImport},
		{post, "/contacts/import/:id/undo", "contacts:import", s.undoImport},
		{post, "/contacts/import/:id/discard", "contacts:import", s.discardImport},
		{get, "/contacts/export", "contacts:export", s.exportPage},
		{post, "/contacts/export", "contacts:export" + fresh, s.exportContacts},
		{get, "/contacts/:id", "contacts:read", s.contactPage},
		{get, "/contacts/:id/evidence/:item", "contacts:read", s.evidencePage},
		{post, "/contacts/:id", "contacts:edit", s.editContact},
		{post, "/contacts/:id/reveal", "phones:reveal", s.revealPhone},
		{post, "/contacts/:id/shared", "contacts:edit", s.setShared},
		{post, "/contacts/:id/consent", "contacts:edit", s.recordConsent},
		{get, "/contacts/:id/code", "queue:decide", s.codePage},
		{post, "/contacts/:id/code", "queue:decide", s.makeCode},
		{post, "/contacts/:id/code/:code/revoke", "queue:decide", s.revokeCode},
		{get, "/contacts/:id/ask", "queue:decide", s.askContactPage},
		{post, "/contacts/:id/ask", "queue:decide", s.askContact},
		{get, "/merges/preview", "merges:make", s.mergePreview},
		{post, "/merges", "merges:make", s.merge},
		{get, "/merges/:id", "merges:read", s.receiptPage},
		{post, "/merges/:id/undo", "merges:undo_own", s.undoMerge},

		{get, prepPath, "training:board", s.prepPage},
		{post, prepPath + "/nudge/:person", "training:team", s.nudge},
		{get, prepPath + "/poster", "training:board", s.posterPage},
		{get, briefingPath, "briefings:make", s.briefingPage},
		{post, briefingPath, "briefings:make", s.shareBriefing},
		{post, briefingPath + "/:id/revoke", "briefings:make", s.revokeBriefing},
		{get, escalationsPath, "escalations:use", s.escalationsPage},
		{post, escalationsPath, "escalations:use", s.escalate},
		{post, escalationsPath + "/:id", "escalations:use", s.moveEscalation},
		{get, prepPath + "/items", "training:team", s.itemsPage},
		{get, prepPath + "/quality", "training:board", s.qualityPage},
		{get, learnPath, "training:learn", s.learnPage},
		{get, learnPath + "/:lesson", "training:learn", s.lessonPage},
		{post, learnPath + "/:lesson", "training:learn", s.markLessonRead},
		{post, quizPath, "training:learn", s.startQuiz},
		{get, quizPath + "/:id", "training:learn", s.quizPage},
		{post, quizPath + "/:id", "training:learn", s.finishQuiz},
		{get, drillPath + "/:id", "training:learn", s.drillIntroPage},
		{post, drillPath + "/:id", "training:learn", s.startDrill},
		{get, drillPath + "/:id/:try", "training:learn", s.drillPage},
		{post, drillPath + "/:id/:try", "training:learn", s.answerDrill},

		{get, "/team", "team:read", s.teamPage},
		{post, "/team", "team:manage", s.inviteMember},
		{post, "/team/invitations/:id/withdraw", "team:manage", s.withdrawInvitation},
		{get, "/team/:id/leave", "team:manage", s.leavingPage},
		{post, "/team/:id/role", "team:manage" + fresh, s.changeRole},
		{post, "/team/:id/remove", "team:manage" + fresh, s.removeMember},
		{get, rolesPath, "home:read", s.rolesPage},
		{get, "/team/:id", "team:read", s.colleaguePage},
		{post, "/team/:id/factor", "team:manage" + fresh, s.resetFactor},
		{get, privacyPath, "privacy:read", s.privacyPage},
		{post, requestsPath, "privacy:handle", s.addRequest},
		{post, requestsPath + "/take", "privacy:handle", s.takeOver},
		{get, privacyPath + "/record", "privacy:read", s.recordPage},
		{get, privacyPath + "/record/file", "privacy:read", s.recordFile},
		{post, privacyPath + "/keeping", "settings:edit" + fresh, s.saveKeeping},
		{get, requestsPath + "/:id", "privacy:read", s.requestPage},
		{post, requestsPath + "/:id/contact", "privacy:handle", s.chooseRequest},
		{post, requestsPath + "/:id/proof", "privacy:handle", s.proveRequest},
		{post, requestsPath + "/:id/correct", "privacy:handle", s.correctRequest},
		{post, requestsPath + "/:id/close", "privacy:handle", s.closeRequest},
		{post, requestsPath + "/:id/data", "privacy:handle" + fresh, s.handOut},
		{post, requestsPath + "/:id/erase", "privacy:erase" + fresh, s.eraseRequest},
		{get, requestsPath + "/:id/receipt", "privacy:read", s.requestReceipt},
		{get, "/audit", "audit:read", s.auditPage},
		{post, "/audit/verify", "audit:read_all", s.verifyAudit},
		{post, "/audit/export", "audit:read_all" + fresh, s.exportAudit},
		{get, "/settings", "preferences:edit", s.settingsPage},
		{post, "/settings/me", "preferences:edit", s.savePreferences},
		{post, "/settings/password", "preferences:edit", s.changePassword},
		{get, securityPath, "preferences:edit", s.securityPage},
		{post, securityPath + "/app", "preferences:edit" + fresh, s.startApp},
		{post, securityPath + "/app/code", "preferences:edit" + fresh, s.finishApp},
		{post, securityPath + "/app/remove", "preferences:edit" + fresh, s.removeApp},
		{post, securityPath + "/passkeys/new", "preferences:edit" + fresh, s.startPasskey},
		{post, securityPath + "/passkeys", "preferences:edit" + fresh, s.finishPasskey},
		{post, securityPath + "/passkeys/:key/remove", "preferences:edit" + fresh, s.removePasskey},
		{post, securityPath + "/email", "preferences:edit" + fresh, s.askEmail},
		{post, securityPath + "/codes", "preferences:edit" + fresh, s.newCodes},
		{post, securityPath + "/mails", "preferences:edit", s.saveSignInMails},
		{post, "/settings/business", "settings:edit", s.saveBusiness},
		{post, "/settings/mails", "settings:edit", s.saveMails},
		{post, quietPath, "settings:edit", s.saveQuiet},
		{get, supportPath, "support:manage", s.supportPage},
		{post, supportPath + "/standing", "support:manage" + fresh, s.setStanding},
		{post, supportPath + "/:id/allow", "support:manage" + fresh, s.allowSupport},
		{post, supportPath + "/:id/deny", "support:manage", s.denySupport},
		{post, supportPath + "/:id/end", "support:manage", s.endSupport},
		{get, closingPath, "business:close", s.closingPage},
		{post, closingPath, "business:close" + fresh, s.closeBusiness},
		{post, closingPath + "/cancel", "business:close", s.keepBusiness},
		{get, linksPath, "rules:read", s.rulesPage},
		{get, linksPath + "/:kind", "rules:read", s.rulePage},
		{post, linksPath + "/:kind", "rules:switch", s.switchRule},
		{get, "/dev/keys", "apikeys:read", s.keysPage},
		{post, "/dev/keys", "apikeys:manage" + fresh, s.addKey},
		{post, "/dev/keys/:id/revoke", "apikeys:manage", s.revokeKey},

		{get, "/api/v1/openapi.json", public, s.api.Document},
		{get, "/api/v1/resolve", keyRead, s.api.Resolve},
		{get, "/api/v1/contacts", keyRead, s.api.Contacts},
		{get, "/api/v1/contacts/:id", keyRead, s.api.Contact},
		{patch, "/api/v1/contacts/:id", keyWrite, s.api.EditContact},
		{get, "/api/v1/contacts/:id/messages", keyRead, s.api.Messages},
		{get, "/api/v1/contacts/:id/links", keyRead, s.api.Links},
		{post, "/api/v1/links/:id/undo", keyWrite, s.api.Undo},
		{get, "/api/v1/cases", keyRead, s.api.Cases},
		{post, "/api/v1/cases/:id/decision", keyWrite, s.api.Decide},
		{get, "/api/v1/merges/preview", keyRead, s.api.PreviewMerge},
		{post, "/api/v1/merges", keyWrite, s.api.Merge},
		{get, "/api/v1/ingest", keyRead, s.api.Ingest},
		{post, "/api/v1/ingest/replay", keyWrite, s.api.Replay},
		{get, "/api/v1/jobs/:id", keyRead, s.api.Job},
		{get, "/api/v1/adoption", keyRead, s.api.Adoption},
		{get, "/api/v1/numbers", keyRead, s.api.Numbers},
		{post, "/api/v1/numbers", keyWrite, s.api.ConnectNumber},
	}
}

// register builds the app from the table. It refuses a line that does not say who may use it, or says so in a word the policy
// does not know.
func (s *Server) register() error {
	s.app.Use(s.around)

	for _, r := range s.Routes() {
		if r.Handler == nil || !strings.HasPrefix(r.Path, "/") {
			return fmt.Errorf("route %s %s lacks a handler or a path", r.Method, r.Path)
		}
		permission, _ := strings.CutSuffix(r.Permission, fresh)
		if err := checkPermission(permission); err != nil {
			return fmt.Errorf("route %s %s: %w", r.Method, r.Path, err)
		}

		handler := s.guard(r)
		s.app.Add(r.Method, r.Path, handler)
		if r.Method == fiber.MethodGet {
			s.app.Add(fiber.MethodHead, r.Path, handler)
			s.pages[r.Path] = permission
		}
	}

	return nil
}

func checkPermission(permission string) error {
	switch permission {
	case public, anyone, signedIn, keyRead, keyWrite:
		return nil
	}

	return access.CheckPolicy(permission)
}
