package web

// The addresses that more than one subject speaks of. server/routes.go says what each answers and who may ask.
const (
	// Ways in, and out.
	BeginPath   = "/signup" // where somebody sets a business up by themselves
	StepPath    = "/login/step"
	ConfirmPath = "/confirm" // where somebody who is signed in proves that it is still them
	ResetPath   = "/reset/"  // where a link to a new password leads
	InvitePath  = "/invite/"
	// Where a link leads that an inviter passed on by themselves.
	SharedInvitePath = InvitePath + "by/"
	EmailPath        = "/email/"
	UndoEmailPath    = "/email/undo/"
	// Where somebody wants no more mails of a kind. It works signed out, and with one press in a mail program (RFC 8058), so its address says
	// for whom it is, and is signed.
	LeavePath   = "/mails/leave/"
	ClosingPath = "/closing" // where an owner closes the business, and takes it back

	EventsPath = "/events"
	StartPath  = "/start"

	// Customers.
	InboxPath     = "/inbox"
	MediaPath     = "/media"
	BulkPath      = "/resolve/many"
	UploadPath    = "/contacts/import"
	PrivacyPath   = "/privacy"
	RequestsPath  = PrivacyPath + "/requests"
	IncidentsPath = PrivacyPath + "/incidents"

	// Seeing.
	OverviewPath = "/overview"
	AdoptionPath = "/adoption"
	ForecastPath = AdoptionPath + "/forecast"
	ImpactPath   = AdoptionPath + "/impact"
	ReachPath    = AdoptionPath + "/reach"
	SegmentsPath = AdoptionPath + "/segments"
	MonthlyPath  = "/reports/monthly"
	ChangesPath  = "/changes"

	// Preparing people.
	PrepPath        = "/prep"
	AnswersPath     = PrepPath + "/faq"
	MacrosPath      = PrepPath + "/macros"
	QuestionsPath   = PrepPath + "/questions"
	ProposePath     = PrepPath + "/propose"
	LearnPath       = PrepPath + "/learn"
	QuizPath        = PrepPath + "/quiz"
	DrillPath       = PrepPath + "/drill"
	EscalationsPath = PrepPath + "/escalations"
	BriefingPath    = PrepPath + "/briefing"
	SharedPath      = "/briefing/" // where a link to one leads

	// The business's numbers and names.
	SignupPath    = "/numbers/new/embedded"
	UsernamesPath = "/usernames"
	IdeasPath     = UsernamesPath + "/ideas"
	WatchPath     = UsernamesPath + "/watch"
	KitPath       = UsernamesPath + "/kit"
	TrustPath     = UsernamesPath + "/trust"

	// Settings.
	RolesPath    = "/team/roles"
	SecurityPath = "/settings/security"
	QuietPath    = "/settings/quiet"
	LinksPath    = "/settings/links"
	SupportPath  = "/support-access" // where owners let operators in

	// Developers.
	DocsPath     = "/dev/docs"
	ForwardsPath = "/dev/forwards" // where webhooks go on to the business's own systems

	// The operator's.
	OpTenantsPath = "/op/tenants"
	OpLibraryPath = "/op/library"
	OpJobsPath    = "/op/jobs"
	OpDriftPath   = "/op/drift"
	OpUsagePath   = "/op/usage"
	OpPrivacyPath = "/op/privacy" // how many privacy requests wait where
	OpNewsPath    = "/op/news"
	OpAuditPath   = "/op/audit"
	OpAccessPath  = "/op/access" // where operators ask to enter businesses
	OpFactsPath   = "/op/facts"
	OpItemsPath   = "/op/items"
)
