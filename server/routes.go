package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/trust"
)

// What a route asks of its caller, besides the permissions of tenants/access/policy.csv.
const (
	public   = "public" // anybody; the session is not even read
	anyone   = "anyone" // anybody, known where they are signed in
	signedIn = web.SignedIn
	keyRead  = "key:read" // an API key with this scope
	keyWrite = "key:write"

	// fresh stands behind a permission that also asks for a recent proof that the person is still who signed in: "apps:manage" + fresh.
	// It is for forms, not for pages: see signin/confirm.go.
	fresh = " fresh"
)

// Route is one line of the table: a method and path, who may use it, and what answers.
type Route struct {
	Method     string
	Path       string
	Permission string
	Handler    fiber.Handler
}

// Routes is every route of the server, those of /dev in routes_dev.go, of privacy in routes_privacy.go and of the API in routes_api.go. A new feature starts with a line here, and a row in the table of
// routes_test.go.
func (s *Server) Routes() []Route {
	const get, post = fiber.MethodGet, fiber.MethodPost

	return append([]Route{
		{get, "/healthz", public, s.healthz},
		{get, "/readyz", public, s.readyz},
		{get, "/static/:version/:name", public, s.asset},

		{get, "/hooks/whatsapp/:app", public, s.handshake},
		{post, "/hooks/whatsapp/:app", public, s.receive},

		{get, "/", anyone, s.front.Start},
		{get, "/check", public, s.front.CheckPage},
		{get, "/status", public, s.front.StatusPage},
		{get, "/demo", anyone, s.front.DemoPage},
		{post, "/demo", anyone, s.front.Visit},
		{get, "/help", anyone, s.home.HelpPage},
		{get, "/more", signedIn, s.home.MorePage},
		{get, "/login", anyone, s.signin.LoginPage},
		{post, "/login", anyone, s.signin.Login},
		{get, web.BeginPath, anyone, s.signin.BeginPage},
		{post, web.BeginPath, anyone, s.signin.Begin},
		{get, web.BeginPath + "/:token", anyone, s.signin.SignupLinkPage},
		{post, web.BeginPath + "/:token", anyone, s.signin.FinishSignup},
		{get, web.EmailPath + ":token", anyone, s.signin.EmailLinkPage},
		{post, web.EmailPath + ":token", anyone, s.signin.TakeEmail},
		{get, web.UndoEmailPath + ":token", anyone, s.signin.UndoEmailPage},
		{post, web.UndoEmailPath + ":token", anyone, s.signin.UndoEmail},
		{post, "/login/passkey", anyone, s.signin.AskPasskey},
		{get, web.StepPath, anyone, s.signin.StepPage},
		{post, web.StepPath, anyone, s.signin.SecondStep},
		{get, "/forgot", anyone, s.signin.ForgotPage},
		{post, "/forgot", anyone, s.signin.Forgot},
		{get, "/reset/:token", anyone, s.signin.ResetPage},
		{post, "/reset/:token", anyone, s.signin.Reset},
		{get, "/invite/:token", anyone, s.signin.InvitePage},
		{post, "/invite/:token", anyone, s.signin.AcceptInvitation},
		{get, web.SharedInvitePath + ":token", anyone, s.signin.SharedInvitePage},
		{post, web.SharedInvitePath + ":token", anyone, s.signin.AskSharedInvitation},
		{get, trust.Prefix + ":slug", anyone, s.usernames.TrustPage},
		{post, trust.Prefix + ":slug", anyone, s.usernames.AskTrust},
		{get, "/mails/leave/:token", anyone, s.signin.LeavePage},
		{get, web.SharedPath + ":token", anyone, s.prep.SharedPage},
		{post, web.SharedPath + ":token", anyone, s.prep.OpenShared},
		{post, "/mails/leave/:token", public, s.signin.Leave}, // its address is its proof, and a mail program knows no form token
		{post, "/language", anyone, s.settings.Language},
		{post, "/theme", anyone, s.settings.Theme},
		{get, web.ConfirmPath, signedIn, s.signin.ConfirmPage},
		{post, web.ConfirmPath, signedIn, s.signin.Confirm},
		{post, "/logout", signedIn, s.signin.Logout},
		{post, "/logout/everywhere", signedIn, s.signin.LogoutOthers},
		{post, "/logout/devices/:handle", signedIn, s.settings.EndDevice},
		{get, "/choose", signedIn, s.signin.ChoosePage},
		{post, "/tenant", signedIn, s.signin.SwitchTenant},

		{get, "/home", "home:read", s.home.Page},
		{get, web.EventsPath, "home:read", s.Events},
		{post, "/news/:id/read", "home:read", s.operator.PutAwayNews},
		{get, web.ChangesPath, "facts:read", s.changes.Page},
		{post, web.ChangesPath + "/read", "facts:read", s.changes.MarkRead},
		{get, web.AnswersPath, "answers:read", s.answers.Page},
		{post, web.AnswersPath, "answers:edit", s.answers.AddAnswer},
		{get, web.AnswersPath + "/new", "answers:edit", s.answers.NewAnswerPage},
		{get, web.AnswersPath + "/:id", "answers:read", s.answers.AnswerPage},
		{post, web.AnswersPath + "/:id", "answers:edit", s.answers.EditAnswer},
		{get, web.AnswersPath + "/:id/edit", "answers:edit", s.answers.EditAnswerPage},
		{post, web.AnswersPath + "/:id/used", "answers:use", s.answers.UseAnswer},
		{post, web.AnswersPath + "/:id/vote", "answers:use", s.answers.VoteAnswer},
		{post, web.AnswersPath + "/:id/check", "answers:edit", s.answers.CheckAnswer},
		{post, web.AnswersPath + "/:id/restore", "answers:edit", s.answers.RestoreAnswer},
		{get, web.MacrosPath, "macros:read", s.answers.MacrosPage},
		{post, web.MacrosPath, "answers:edit", s.answers.AddMacro},
		{get, web.MacrosPath + "/new", "answers:edit", s.answers.NewMacroPage},
		{get, web.MacrosPath + "/:id/edit", "answers:edit", s.answers.EditMacroPage},
		{post, web.MacrosPath + "/:id", "answers:edit", s.answers.EditMacro},
		{post, web.MacrosPath + "/:id/check", "answers:edit", s.answers.CheckMacro},
		{post, web.MacrosPath + "/:id/restore", "answers:edit", s.answers.RestoreMacro},
		{get, web.QuestionsPath, "questions:read", s.answers.QuestionsPage},
		{post, web.QuestionsPath, "answers:use", s.answers.LogQuestion},
		{get, web.ProposePath, "answers:use", s.answers.ProposePage},
		{post, web.ProposePath, "answers:use", s.answers.Propose},
		{post, web.QuestionsPath + "/:id/undo", "answers:use", s.answers.UnlogQuestion},
		{post, web.QuestionsPath + "/:id/card", "answers:edit", s.answers.AnswerQuestion},
		{post, web.QuestionsPath + "/:id/remove", "answers:edit", s.answers.ForgetQuestion},
		{get, web.StartPath, "start:run", s.home.StepsPage},
		{get, web.StartPath + "/live", "start:run", s.home.StepsLive},
		{post, web.StartPath + "/:step", "start:run", s.home.TakeStep},
		{get, web.MonthlyPath, "reports:read", s.overview.MonthlyPage},
		{get, web.MonthlyPath + "/rows", "reports:read", s.overview.MonthlyRows},
		{get, web.MonthlyPath + "/export", "reports:read", s.overview.ExportMonth},
		{get, web.OverviewPath, "overview:read", s.overview.Page},
		{get, web.OverviewPath + "/rows", "overview:read", s.overview.WorkRows},
		{get, web.OverviewPath + "/export", "overview:read", s.overview.ExportWork},
		{get, web.AdoptionPath + "/people", "overview:read", s.overview.AdoptionPeople},
		{get, web.AdoptionPath + "/export", "overview:read", s.overview.ExportAdoption},
		{get, web.ImpactPath, "overview:read", s.overview.ImpactPage},
		{get, web.ImpactPath + "/export", "overview:read", s.overview.ExportImpact},
		{get, web.ForecastPath, "forecast:read", s.overview.ForecastPage},
		{get, web.ForecastPath + "/export", "forecast:read", s.overview.ExportForecast},
		{post, web.ForecastPath + "/book", "settings:edit", s.overview.SayBook},
		{get, web.ReachPath, "reach:read", s.overview.ReachPage},
		{get, web.ReachPath + "/export", "reach:read", s.overview.ExportReach},
		{post, web.SegmentsPath, "reach:save", s.overview.SaveSegment},
		{get, web.SegmentsPath + "/:id", "reach:read", s.overview.OpenSegment},
		{post, web.SegmentsPath + "/:id/remove", "reach:save", s.overview.RemoveSegment},
		{get, "/numbers", "numbers:read", s.numbers.Page},
		{get, "/numbers/new", "numbers:connect", s.numbers.NumberNewPage},
		{get, "/numbers/new/manual", "numbers:connect", s.numbers.NumberManualPage},
		{get, web.SignupPath, "numbers:connect", s.numbers.SignupPage},
		{post, web.SignupPath, "numbers:connect", s.numbers.Signup},
		{post, "/numbers", "numbers:connect" + fresh, s.numbers.ConnectNumber},
		{get, "/numbers/items", "numbers:read", s.numbers.ItemsPage},
		{get, "/numbers/items/:item", "ingest:read", s.numbers.ItemPage},
		{post, "/numbers/replay", "ingest:replay", s.numbers.ReplayItems},
		{get, "/numbers/:id", "numbers:read", s.numbers.NumberPage},
		{get, "/numbers/:id/live", "numbers:read", s.numbers.NumberLive},
		{get, "/numbers/:id/health", "numbers:read", s.numbers.HealthPage},
		{get, "/numbers/:id/health/live", "numbers:read", s.numbers.HealthLive},
		{post, "/numbers/:id/check", "numbers:connect", s.numbers.RecheckNumber},
		{post, "/numbers/:id/token", "numbers:connect" + fresh, s.numbers.ReplaceToken},
		{post, "/numbers/:id/disconnect", "numbers:connect", s.numbers.DisconnectNumber},
		{post, "/numbers/:id/reconnect", "numbers:connect", s.numbers.ReconnectNumber},
		{get, "/numbers/:id/phone-free", "numbers:connect", s.numbers.PhoneFreePage},
		{post, "/numbers/:id/phone-free", "numbers:connect", s.numbers.SetPhoneFree},
		{post, "/numbers/:id/sync", "numbers:connect", s.numbers.StartSync},
		{get, "/numbers/:id/health/export", "numbers:read", s.numbers.ExportHealth},
		{get, "/numbers/:id/items", "numbers:read", s.numbers.ItemsPage},
		{get, "/numbers/:id/items/:item", "ingest:read", s.numbers.ItemPage},
		{post, "/numbers/:id/replay", "ingest:replay", s.numbers.ReplayItems},
		{get, web.UsernamesPath, "usernames:read", s.usernames.Page},
		{get, web.IdeasPath, "usernames:read", s.usernames.IdeasPage},
		{post, web.IdeasPath, "usernames:claim", s.usernames.KeepIdea},
		{get, web.WatchPath, "usernames:read", s.usernames.WatchPage},
		{post, web.WatchPath, "usernames:claim", s.usernames.NoteLookalike},
		{get, web.KitPath, "usernames:read", s.usernames.KitPage},
		{post, web.KitPath + "/places/:place", "usernames:claim", s.usernames.SetPlace},
		{get, web.TrustPath, "trust:edit", s.usernames.TrustSettings},
		{post, web.TrustPath, "trust:edit", s.usernames.SaveTrust},
		{post, web.TrustPath + "/requests/:id", "trust:edit", s.usernames.AnsweredTrust},
		{get, web.UsernamesPath + "/:id", "usernames:read", s.usernames.UsernamePage},
		{post, web.UsernamesPath + "/:id/plan", "usernames:claim", s.usernames.PlanUsername},
		{post, web.UsernamesPath + "/:id/record", "usernames:claim", s.usernames.RecordUsername},
		{post, web.UsernamesPath + "/:id/look", "usernames:claim", s.usernames.LookAtUsername},
		{get, web.UsernamesPath + "/:id/confirm", "usernames:claim", s.usernames.ConfirmUsername},
		{post, web.UsernamesPath + "/:id/claim", "usernames:claim", s.usernames.ClaimUsername},
		{post, web.UsernamesPath + "/:id/transfer", "usernames:claim", s.usernames.TransferUsername},
		{post, web.UsernamesPath + "/:id/delete", "usernames:claim", s.usernames.DeleteUsername},
		{get, "/apps", "apps:read", s.numbers.AppsPage},
		{post, "/apps", "apps:manage" + fresh, s.numbers.AddApp},
		{post, "/apps/:name/rotate", "apps:manage" + fresh, s.numbers.RotateApp},

		{get, "/op", "op:read", s.operator.Page},
		{get, "/op/held", "op:read", s.operator.HeldPage},
		{get, web.OpTenantsPath, "op:read", s.operator.TenantsPage},
		{post, web.OpTenantsPath, "op:write", s.operator.AddTenant},
		{get, web.OpTenantsPath + "/new", "op:write", s.operator.NewTenantPage},
		{get, web.OpTenantsPath + "/:id", "op:read", s.operator.TenantPage},
		{post, web.OpTenantsPath + "/:id/state", "op:write" + fresh, s.operator.SetTenantState},
		{post, web.OpTenantsPath + "/:id/limits", "op:write", s.operator.SetLimits},
		{post, web.OpTenantsPath + "/:id/notes", "op:write", s.operator.AddNoteOn},
		{get, web.OpDriftPath, "op:read", s.operator.DriftPage},
		{get, web.OpJobsPath, "op:read", s.operator.JobsPage},
		{post, web.OpJobsPath + "/retry", "op:write", s.operator.RetryJobs},
		{get, web.OpPrivacyPath, "op:read", s.operator.ClocksPage},
		{get, web.OpUsagePath, "op:read", s.operator.UsagePage},
		{get, web.OpUsagePath + "/export", "op:read", s.operator.ExportUsage},
		{get, web.OpNewsPath, "op:read", s.operator.NewsPage},
		{post, web.OpNewsPath, "op:write", s.operator.Announce},
		{post, web.OpNewsPath + "/:id/end", "op:write", s.operator.EndAnnouncement},
		{get, web.OpAuditPath, "op:read", s.operator.AuditPage},
		{post, web.OpAuditPath + "/verify", "op:write", s.operator.VerifyAudit},
		{get, web.OpAccessPath, "op:access", s.operator.AccessPage},
		{post, web.OpAccessPath, "op:access", s.operator.AskAccess},
		{post, web.OpAccessPath + "/leave", signedIn, s.operator.LeaveBusiness},
		{post, web.OpAccessPath + "/:id/enter", "op:access" + fresh, s.operator.EnterBusiness},
		{get, web.OpItemsPath, "op:read", s.prep.OpItemsPage},
		{get, web.OpItemsPath + "/:id", "op:read", s.prep.OpItemPage},
		{post, web.OpItemsPath + "/:id", "op:write", s.prep.ActOnItem},
		{get, web.OpFactsPath, "op:read", s.operator.FactsPage},
		{get, web.OpFactsPath + "/new", "op:write", s.operator.NewFactPage},
		{post, web.OpFactsPath, "op:write", s.operator.AddFact},
		{get, web.OpFactsPath + "/:key", "op:read", s.operator.FactPage},
		{post, web.OpFactsPath + "/:key", "op:write", s.operator.EditFact},
		{get, web.OpLibraryPath, "op:read", s.operator.LibraryPage},
		{get, web.OpLibraryPath + "/new", "op:write", s.operator.NewCardPage},
		{post, web.OpLibraryPath, "op:write", s.operator.AddCard},
		{get, web.OpLibraryPath + "/:kind/:key", "op:read", s.operator.LibraryCardPage},
		{post, web.OpLibraryPath + "/:kind/:key", "op:write", s.operator.ChangeLibrary},

		{get, "/resolve", "queue:read", s.queue.Page},
		{get, "/resolve/next", "queue:decide", s.queue.NextCase},
		{post, web.BulkPath, "queue:decide", s.queue.ChooseCases},
		{get, web.BulkPath + "/:id", "queue:read", s.queue.BulkPage},
		{post, web.BulkPath + "/:id", "queue:decide", s.queue.RunBulk},
		{post, web.BulkPath + "/:id/undo", "queue:decide", s.queue.UndoBulk},
		{get, "/resolve/:id", "queue:read", s.queue.CasePage},
		{get, "/resolve/:id/event", "queue:read", s.queue.CaseEvent},
		{post, "/resolve/:id", "queue:decide", s.queue.DecideCase},
		{post, "/resolve/:id/undo", "queue:decide", s.queue.TakeBack},
		{get, "/resolve/:id/ask", "queue:decide", s.inbox.AskCasePage},
		{post, "/resolve/:id/ask", "queue:decide", s.inbox.AskCase},
		{get, web.InboxPath, "conversations:read", s.inbox.Page},
		{get, web.InboxPath + "/:id", "conversations:read", s.inbox.TalkPage},
		{get, web.InboxPath + "/:id/live", "conversations:read", s.inbox.TalkLive},
		{post, web.InboxPath + "/:id", "conversations:answer", s.inbox.SendReply},
		{post, web.InboxPath + "/:id/cancel", "conversations:answer", s.inbox.CancelMessage},
		{post, web.InboxPath + "/:id/notes", "conversations:answer", s.inbox.AddNote},
		{post, web.InboxPath + "/:id/assign", "conversations:answer", s.inbox.AssignTalk},
		{post, web.InboxPath + "/:id/done", "conversations:answer", s.inbox.TalkDone},
		{get, web.MediaPath + "/:message", "conversations:read", s.inbox.MediaFile},
		{get, "/contacts", "contacts:read", s.contacts.Page},
		{get, web.UploadPath, "contacts:import", s.contacts.ImportsPage},
		{post, web.UploadPath, "contacts:import", s.contacts.UploadList},
		{get, "/contacts/import/sample", "contacts:import", s.contacts.SampleList},
		{get, "/contacts/import/:id", "contacts:import", s.contacts.ImportPage},
		{get, "/contacts/import/:id/live", "contacts:import", s.contacts.ImportLive},
		{get, "/contacts/import/:id/problems", "contacts:import", s.contacts.ImportProblems},
		{post, "/contacts/import/:id/columns", "contacts:import", s.contacts.NameColumns},
		{post, "/contacts/import/:id/run", "contacts:import", s.contacts.RunImport},
		{post, "/contacts/import/:id/stop", "contacts:import", s.contacts.StopImport},
		{post, "/contacts/import/:id/undo", "contacts:import", s.contacts.UndoImport},
		{post, "/contacts/import/:id/discard", "contacts:import", s.contacts.DiscardImport},
		{get, "/contacts/export", "contacts:export", s.contacts.ExportPage},
		{post, "/contacts/export", "contacts:export" + fresh, s.contacts.ExportContacts},
		{get, "/contacts/:id", "contacts:read", s.contacts.ContactPage},
		{get, "/contacts/:id/evidence/:item", "contacts:read", s.contacts.EvidencePage},
		{post, "/contacts/:id", "contacts:edit", s.contacts.EditContact},
		{post, "/contacts/:id/reveal", "phones:reveal", s.contacts.RevealPhone},
		{post, "/contacts/:id/shared", "contacts:edit", s.contacts.SetShared},
		{post, "/contacts/:id/consent", "contacts:edit", s.contacts.RecordConsent},
		{get, "/contacts/:id/code", "queue:decide", s.inbox.CodePage},
		{post, "/contacts/:id/code", "queue:decide", s.inbox.MakeCode},
		{post, "/contacts/:id/code/:code/revoke", "queue:decide", s.inbox.RevokeCode},
		{get, "/contacts/:id/ask", "queue:decide", s.inbox.AskContactPage},
		{post, "/contacts/:id/ask", "queue:decide", s.inbox.AskContact},
		{get, "/merges/preview", "merges:make", s.queue.MergePreview},
		{post, "/merges", "merges:make", s.queue.Merge},
		{get, "/merges/:id", "merges:read", s.queue.ReceiptPage},
		{post, "/merges/:id/undo", "merges:undo_own", s.queue.UndoMerge},

		{get, web.PrepPath, "training:board", s.prep.Page},
		{post, web.PrepPath + "/nudge/:person", "training:team", s.prep.Nudge},
		{get, web.PrepPath + "/poster", "training:board", s.prep.PosterPage},
		{get, web.BriefingPath, "briefings:make", s.prep.BriefingPage},
		{post, web.BriefingPath, "briefings:make", s.prep.ShareBriefing},
		{post, web.BriefingPath + "/:id/revoke", "briefings:make", s.prep.RevokeBriefing},
		{get, web.EscalationsPath, "escalations:use", s.prep.EscalationsPage},
		{post, web.EscalationsPath, "escalations:use", s.prep.Escalate},
		{post, web.EscalationsPath + "/:id", "escalations:use", s.prep.MoveEscalation},
		{get, web.PrepPath + "/items", "training:team", s.prep.ItemsPage},
		{get, web.PrepPath + "/quality", "training:board", s.prep.QualityPage},
		{get, web.PrepPath + "/quality/export", "training:board", s.prep.ExportQuality},
		{get, web.LearnPath, "training:read", s.prep.LearnPage},
		{get, web.LearnPath + "/:lesson", "training:read", s.prep.LessonPage},
		{post, web.LearnPath + "/:lesson", "training:learn", s.prep.MarkLessonRead},
		{post, web.QuizPath, "training:learn", s.prep.StartQuiz},
		{get, web.QuizPath + "/:id", "training:learn", s.prep.QuizPage},
		{post, web.QuizPath + "/:id", "training:learn", s.prep.FinishQuiz},
		{get, web.DrillPath + "/:id", "training:learn", s.prep.DrillIntroPage},
		{post, web.DrillPath + "/:id", "training:learn", s.prep.StartDrill},
		{get, web.DrillPath + "/:id/:try", "training:learn", s.prep.DrillPage},
		{post, web.DrillPath + "/:id/:try", "training:learn", s.prep.AnswerDrill},

		{get, "/team", "team:read", s.team.Page},
		{post, "/team", "team:manage", s.team.InviteMember},
		{post, "/team/invitations/:id/withdraw", "team:manage", s.team.WithdrawInvitation},
		{post, "/team/invitations/:id/share", "team:manage", s.team.ShareInvitation},
		{get, "/team/:id/leave", "team:manage", s.team.LeavingPage},
		{post, "/team/:id/role", "team:manage" + fresh, s.team.ChangeRole},
		{post, "/team/:id/remove", "team:manage" + fresh, s.team.RemoveMember},
		{get, web.RolesPath, "home:read", s.team.RolesPage},
		{get, "/team/:id", "team:read", s.team.ColleaguePage},
		{post, "/team/:id/factor", "team:manage" + fresh, s.team.ResetFactor},
		{get, "/audit", "audit:read", s.audit.Page},
		{post, "/audit/verify", "audit:read_all", s.audit.Verify},
		{post, "/audit/export", "audit:read_all" + fresh, s.audit.Export},
		{get, "/settings", "preferences:edit", s.settings.Page},
		{post, "/settings/me", "preferences:edit", s.settings.SavePreferences},
		{post, "/settings/password", "preferences:edit", s.settings.ChangePassword},
		{get, web.SecurityPath, "preferences:edit", s.signin.SecurityPage},
		{post, web.SecurityPath + "/app", "preferences:edit" + fresh, s.signin.StartApp},
		{post, web.SecurityPath + "/app/code", "preferences:edit" + fresh, s.signin.FinishApp},
		{post, web.SecurityPath + "/app/remove", "preferences:edit" + fresh, s.signin.RemoveApp},
		{post, web.SecurityPath + "/passkeys/new", "preferences:edit" + fresh, s.signin.StartPasskey},
		{post, web.SecurityPath + "/passkeys", "preferences:edit" + fresh, s.signin.FinishPasskey},
		{post, web.SecurityPath + "/passkeys/:key/remove", "preferences:edit" + fresh, s.signin.RemovePasskey},
		{post, web.SecurityPath + "/email", "preferences:edit" + fresh, s.signin.AskEmail},
		{post, web.SecurityPath + "/codes", "preferences:edit" + fresh, s.signin.NewCodes},
		{post, web.SecurityPath + "/mails", "preferences:edit", s.signin.SaveSignInMails},
		{post, "/settings/business", "settings:edit", s.settings.SaveBusiness},
		{post, "/settings/mails", "preferences:edit", s.settings.SaveMails},
		{post, "/settings/target", "settings:edit", s.settings.SaveTarget},
		{post, web.QuietPath, "settings:edit", s.settings.SaveQuiet},
		{post, web.QuietPath + "/mine", "preferences:edit", s.settings.SaveOwnQuiet},
		{get, web.SupportPath, "support:manage", s.operator.SupportPage},
		{post, web.SupportPath + "/standing", "support:manage" + fresh, s.operator.SetStanding},
		{post, web.SupportPath + "/:id/allow", "support:manage" + fresh, s.operator.AllowSupport},
		{post, web.SupportPath + "/:id/deny", "support:manage", s.operator.DenySupport},
		{post, web.SupportPath + "/:id/end", "support:manage", s.operator.EndSupport},
		{get, web.ClosingPath, "business:close", s.settings.ClosingPage},
		{post, web.ClosingPath, "business:close" + fresh, s.settings.CloseBusiness},
		{post, web.ClosingPath + "/cancel", "business:close", s.settings.KeepBusiness},
		{get, web.LinksPath, "rules:read", s.settings.RulesPage},
		{get, web.LinksPath + "/:kind", "rules:read", s.settings.RulePage},
		{post, web.LinksPath + "/:kind", "rules:switch", s.settings.SwitchRule},
	}, slices.Concat(s.developerRoutes(), s.privacyRoutes(), s.apiRoutes())...)
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
			s.Permissions[r.Path] = permission
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
