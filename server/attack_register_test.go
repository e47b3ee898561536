package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// attackCase is what shows one case of the attack list: the names of the tests, with the folders they are in, or why there are none.
// Of a case that is not shown whole one of the others says what is left: partly what no test shows, times how long something may take,
// which no test asserts as it hangs on the machine, and apart what this product has nothing of.
type attackCase struct {
	n      int
	tests  string
	partly string
	times  string
	apart  string
	why    string
}

const attackCases = 104

var attackRegister = []attackCase{
	// A. The wall between tenants
	{n: 1, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIHidesAnotherTenant", times: "that another's id is looked up no longer than none"},
	{n: 2, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIHidesAnotherTenant server.TestAPIReplay server.TestManyNewAtOnceAndBack tenants/identity.TestBulkRefusals"},
	{n: 3, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIHidesAnotherTenant tenants/identity.TestNotIfAnotherTenant"},
	{n: 4, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIReadsParametersStrictly"},
	{n: 5, tests: "server.TestSwitchTenant"},
	{n: 6, tests: "server.TestCanariesStayWhereTheyAre server.TestEvents"},
	{n: 7, tests: "server.TestOddValuesEverywhere server.TestAPIReadsParametersStrictly", times: "that a query made to sleep does not"},
	{n: 8, tests: "server.TestInvitationOfSomebodyElse server.TestNoAnswerTellsWhoHasAnAccount server.TestAPIConnectNumber migrations.TestTenantLeadsEveryKey", apart: "the name of an app, which is no secret: it stands in the address that Meta delivers to"},
	{n: 9, tests: "tenants/numbers.TestConnectProvesTheNumber tenants/numbers.TestConnectRefusesWhatIsNotProved tenants/numbers.TestOneOwnerAtATime"},
	{n: 10, tests: "server.TestListsOfOthersAreNotThere server.TestAnothersRowsAreAsIfTheyWereNot server.TestTalkOfMergedAndOfOthers", apart: "addresses that are good without a session"},
	{n: 11, tests: "server.TestListsOfOthersAreNotThere server.TestAPIHidesAnotherTenant"},
	{n: 12, tests: "tenants.TestAPooledConnectionRemembersNobody server.TestManyPagesAtOnceStayApart"},
	{n: 13, tests: "server.TestWithoutATenantThereIsNothing migrations.TestEveryTableHasItsWall"},
	{n: 14, tests: "server.TestManyPagesAtOnceStayApart server.TestManyDeliveriesAtOnce tenants/ingest.TestReceiveManyAtOnce"},
	{n: 15, tests: "server.TestOddValuesEverywhere server.TestHeadersOnEveryAnswer server.TestPathTricksOnEveryPage"},
	{n: 16, tests: "server.TestSuspensionBitesEverywhere tenants/forward.TestSuspendedBusinessesPassNothingOn tenants/ingest.TestSuspendedTenantLosesNothing tenants/outbox.TestStatesStopSending"},

	// B. Roles
	{n: 17, tests: "server.TestEveryRouteForEveryRole server.TestAPIWantsAKeyWithTheScope"},
	{n: 18, tests: "server.TestAnothersRowsAreAsIfTheyWereNot server.TestAPIReadsBodiesStrictly server.TestForgedForms"},
	{n: 19, tests: "server.TestNobodyRaisesThemselves tenants/access.TestALeadManagesAgentsOnly tenants/access.TestTheLastOwnerStays tenants/access.TestRolesNotIfAnotherTenant"},
	{n: 20, tests: "server.TestPathTricks server.TestPathTricksOnEveryPage"},
	{n: 21, tests: "server.TestRevocationBitesAtOnce server.TestEvents tenants/access.TestSessionEnds"},
	{n: 22, tests: "server.TestNamesGiveNoRights tenants/access.TestPolicy", apart: "loading the policy again: it is part of the program"},
	{n: 23, tests: "server.TestOperatorByLeave server.TestOperatorsWithoutLeaveSeeNothing server.TestLeaveRunsOutAndIsLeft"},
	{n: 24, tests: "server.TestCanariesStayWhereTheyAre server.TestAgentSeesNoNumbers server.TestExportMasksPhonesAndIsWrittenDown"},

	// C. Session and sign-in
	{n: 25, tests: "tenants/access.TestForgedTokens server.TestTokensAreNotBelieved"},
	{n: 26, tests: "server.TestTokensAreNotBelieved"},
	{n: 27, tests: "tenants/access.TestForgedTokens server.TestTokensAreNotBelieved"},
	{n: 28, tests: "server.TestWhatIsRefusedTakesNoMemory server.TestWhatTheServerItselfRefuses tenants/access.TestForgedTokens"},
	{n: 29, tests: "server.TestRevocationBitesAtOnce server.TestSignOutEverywhereElse server.TestChangePassword server.TestSuspensionBitesEverywhere tenants/access.TestSessionEnds tenants/access.TestEnrolAtOnce"},
	{n: 30, tests: "server.TestSessionCookie"},
	{n: 31, tests: "server.TestEveryCookieIsOurs server.TestSessionCookie server.TestTwoSessionCookiesAreNone"},
	{n: 32, tests: "server.TestForgedForms server.TestSignInAndOutCannotBeForged server.TestEveryWriteWantsItsToken"},
	{n: 33, tests: "server.TestHeadersOnEveryRoute"},
	{n: 34, tests: "server.TestAStormOfPasswords tenants/access.TestSignInLimit tenants/access.TestSignInLimitOfAnAddress"},
	{n: 35, tests: "server.TestLimitsCannotBeWalkedAround server.TestForwardedAddresses tenants/access.TestSignInLimit tenants/access.TestSignInLimitOfAnAddress"},
	{n: 36, tests: "server.TestNoAnswerTellsWhoHasAnAccount server.TestSignInTellsNothing server.TestForgottenPassword server.TestInvitationOfSomebodyElse server.TestSharedInvitationOfOthers", times: "the work behind each answer is counted instead and is the same"},
	{n: 37, tests: "server.TestForgottenPassword server.TestForgottenPasswordIsNoWayIn server.TestAnotherEmail tenants/access.TestResetPasswordKeepsSecondStep", apart: "a policy of no-referrer: with it our own forms could not be told from forged ones, see SecureHeaders; same-origin tells no other site either"},
	{n: 38, tests: "server.TestAskedTwiceMailsOnce server.TestForgottenPasswordIsNoWayIn"},
	{n: 39, tests: "server.TestAskedTwiceMailsOnce server.TestOddRequestsOnTheWire"},
	{n: 40, tests: "tenants/access.TestSecondStep tenants/access.TestFirstStepIsWorthLittle tenants/access.TestSecondStepAtOnce tenants/access.TestEnrolAtOnce server.TestSignInWithSecondStep server.TestSecondStepChangesAskAgain"},
	{n: 41, tests: "tenants/access.TestPasswordRules tenants/access.TestPasswordsBeyond72BytesDiffer server.TestLargeAndCompressedBodies server.TestManySignInsHoldUpNobody", times: "that a password of a megabyte is refused within 50 ms"},
	{n: 42, tests: "server.TestNextStaysHere server.TestNoFormLeadsElsewhere"},
	{n: 43, tests: "server.TestOddValuesEverywhere server.TestNextStaysHere server.TestHostileTextStaysText"},

	// D. The webhook's signature and handshake
	{n: 44, tests: "server.TestNearlyRightIsRefused server.TestOddRequestsOnTheWire tenants/whatsapp.TestSignatureIsExact tenants/ingest.TestRefusedAreCountedInTheBackground"},
	{n: 45, tests: "tenants/whatsapp.TestSignatureIsExact server.TestNearlyRightIsRefused"},
	{n: 46, tests: "server.TestEdgeCases tenants/ingest.TestRoutes"},
	{n: 47, tests: "tenants/whatsapp.TestSignatureIsExact"},
	{n: 48, tests: "tenants/whatsapp.TestSignatureIsExact tenants/whatsapp.TestSignatureVectors server.TestDeliveries"},
	{n: 49, tests: "server.TestDeliveries server.TestOddRequestsOnTheWire"},
	{n: 50, tests: "server.TestRotationHoldsBothSecrets tenants/whatsapp.TestEveryLiveSecretVerifies tenants/numbers.TestRotationKeepsTheOldSecretForAWhile"},
	{n: 51, tests: "server.TestHandshake server.TestNearlyRightIsRefused"},
	{n: 52, tests: "server.TestSecretsAreComparedInConstantTime"},
	{n: 53, tests: "server.TestNothingBesideTheTable server.TestDeliveries"},

	// E. What deliveries hold
	{n: 54, tests: "tenants/forward.TestPassedOnOnce server.TestDeliveries server.TestManyDeliveriesAtOnce tenants/ingest.TestRepeatsAreRouted"},
	{n: 55, tests: "server.TestSameIDWithOtherWords tenants/conversations.TestOtherWordsAreRemembered"},
	{n: 56, tests: "tenants/ingest.TestEachTenantGetsItsOwn"},
	{n: 57, tests: "server.TestDeliveries server.TestWhatIsRefusedTakesNoMemory server.TestWhatTheServerItselfRefuses server.TestOddRequestsOnTheWire tenants/whatsapp.TestUnusableEnvelopesAreRefused"},
	{n: 58, tests: "server.TestDeliveries server.TestLargeAndCompressedBodies server.TestWhatIsRefusedTakesNoMemory"},
	{n: 59, tests: "server.TestMonstrousDeliveriesHarmNobody tenants/whatsapp.TestOddItemsLeaveNeighboursUnharmed tenants/whatsapp.TestUnusableEnvelopesAreRefused", times: "that each is read within half a second"},
	{n: 60, tests: "server.TestBrokenLettersAreShownWithAMark tenants/whatsapp.TestHostileTextIsStorable tenants/ingest.TestRoutes tenants/whatsapp.FuzzSplitAndParse"},
	{n: 61, tests: "server.TestOddShapesLeaveTheOthersReadable tenants/whatsapp.TestTimestamps tenants/whatsapp.TestOddLevelsBecomeOneItem tenants/whatsapp.TestWhatCannotBeReadIsSetAside tenants/ingest.TestRoutes"},
	{n: 62, tests: "server.TestOnePoisonedChangeOfAThousand tenants/whatsapp.TestLargestBatchWithOnePoisonItem tenants/ingest.TestEachTenantGetsItsOwn tenants/ingest.TestOddItemHarmsNobody"},
	{n: 63, tests: "server.TestEdgeCases tenants/ingest.TestRoutes tenants/ingest.TestAdopt tenants/numbers.TestConnectAdoptsWhatWasHeld"},
	{n: 64, tests: "server.TestEdgeCases tenants/identity.TestOrderDoesNotMatter tenants/identity.TestAMergeMeansWhoHadThePhoneThen"},
	{n: 65, tests: "server.TestEdgeCases server.TestEveryKindInAnyOrder tenants/conversations.TestFailedMessagesAnswerNobody"},
	{n: 66, tests: "tenants/whatsapp.TestTimestamps tenants/conversations.TestInboxWindowIsTheComposers server.TestEveryKindInAnyOrder"},
	{n: 67, tests: "server.TestNearlyRightIsRefused server.TestEdgeCases tenants/privacy.TestConsentNewestCountsAndNothingRaisesIt"},
	{n: 68, tests: "server.TestForgedDeliveriesLeaveACount server.TestAFloodOfUnknownAppsHoldsUpNobody server.TestDeliveriesDoNotWaitForPages", times: "that the two thousand forged come within one second, and how long a signed one waits: make bench"},
	{n: 69, tests: "server.TestSlowConnectionsAreEnded"},

	// F. What is stored, in pages, files and logs
	{n: 70, tests: "e2e.TestHostileTextInTheBrowser server.TestHostileTextStaysText server.TestTalkShowsEveryKindSafely server.TestInvitationOfSomebodyElse"},
	{n: 71, tests: "server.TestHostileTextStaysText server.TestNothingRawInPages server.TestHeadersOnEveryRoute views/layout.TestPageKeepsToTheContentPolicy"},
	{n: 72, tests: "e2e.TestHostileTextInTheBrowser server.TestHostileTextStaysText server.TestNamesThatPoseAreFlagged tenants/identity.TestPosing"},
	{n: 73, tests: "server.TestTalkShowsEveryKindSafely server.TestHostileTextStaysText server.TestFilesOfCustomersAreNotOpened tenants/whatsapp.TestMediaKeepsTokenWithMeta"},
	{n: 74, tests: "tenants/imports.TestNoCellIsAFormula tenants/imports.FuzzDefuse server.TestExportSurvivesTheRoundTrip"},
	{n: 75, tests: "tenants/imports.TestRefusesWhatIsNoList tenants/imports.TestReadsWhatSpreadsheetsWrite tenants/imports.TestMemoryDoesNotGrow tenants/imports.TestStoppedHalfWay tenants/imports.TestEveryRowOnceWhateverDies"},
	{n: 76, tests: "server.TestListsOfOthersAreNotThere tenants/imports.TestConflictsChangeNothing tenants/imports.TestNamesPeopleGaveStay tenants/privacy.TestConsentNewestCountsAndNothingRaisesIt"},
	{n: 77, tests: "server.TestALogLineStaysOne server.TestCanariesStayWhereTheyAre server.TestPhoneFreeNumbersHoldNoPhone tenants/privacy.TestNothingOfAnErasedPersonIsLeft tenants/sandbox.TestErrorsHoldNoToken"},
	{n: 78, tests: "server.TestErrorsKeepTheirCause server.TestOddValuesEverywhere"},

	// G. What is asked of others
	{n: 79, tests: "tenants/forward.TestNoConnectionInward tenants/forward.TestAddressesThatAreRefused server.TestForwardAddressesAreRefused server.TestAddressesTypedAreAskedFromOnePlace"},
	{n: 80, tests: "tenants/forward.TestNoConnectionInward server.TestAddressesTypedAreAskedFromOnePlace", apart: "a name server of ours that changes its answer: the address is judged where the connection is made, whatever the name led to before"},
	{n: 81, tests: "tenants/forward.TestOddAnswers tenants/whatsapp.TestMediaKeepsTokenWithMeta tenants/sandbox.TestErrorsHoldNoToken"},
	{n: 82, tests: "tenants/forward.TestAddressesThatAreRefused server.TestForwardAddressesAreRefused tenants/whatsapp.TestMediaKeepsTokenWithMeta"},
	{n: 83, tests: "tenants/forward.TestOddAnswers tenants/forward.TestCertificatesAreLookedAt tenants/forward.TestATargetThatHangsHoldsNobodyUp tenants/forward.TestATargetThatFailsIsSpared tenants/whatsapp.TestGraphMustShowWhoItIs tenants/whatsapp.TestMediaKeepsTokenWithMeta tenants/outbox.TestGraphInTrouble tenants/outbox.TestASlowGraphHoldsNobodyUp tenants/outbox.TestGraphThatTakesAndDoesNotAnswer", times: "how far others lag behind one that hangs"},
	{n: 84, tests: "tenants/forward.TestPassedOnAsItCame tenants/forward.TestNewSecret", apart: "headers that users name: they name none"},
	{n: 85, tests: "tenants/whatsapp.TestMediaKeepsTokenWithMeta"},
	{n: 86, tests: "tenants/forward.TestUnreachableTellsNothing tenants/forward.TestTheTestIsSentAndLimited"},
	{n: 87, tests: "server.TestCanariesStayWhereTheyAre tenants/secrets.TestSealedValueOpensNowhereElse tenants/numbers.TestSealedTokensOpenInTheirRowOnly tenants/sandbox.TestErrorsHoldNoToken"},
	{n: 88, tests: "tenants/numbers.TestTokenRefusedWhileSending tenants/numbers.TestDailyLookAtTokens tenants/numbers.TestReplaceToken"},

	// H. The business's own rules, and races
	{n: 89, tests: "server.TestMergesAtOnce server.TestEdgeCases tenants/identity.TestMergeAndUndoRestoreEverything"},
	{n: 90, tests: "server.TestMergesAtOnce server.TestEdgeCases tenants/identity.TestRandomHistoriesEndTheSameInAnyOrder"},
	{n: 91, tests: "server.TestMergeByHand server.TestAPIHidesAnotherTenant tenants/identity.TestUndoAfterNewMessagesLeavesThemWhereTheyCameIn tenants/identity.TestManySameAtOnceAndBack"},
	{n: 92, tests: "server.TestEdgeCases tenants/privacy.TestConsentNewestCountsAndNothingRaisesIt tenants/privacy.TestTheErasedDoNotComeBackByThemselves"},
	{n: 93, tests: "server.TestDoubleSubmit server.TestAPIWritesOncePerKey server.TestAPIForgetsOldAnswers"},
	{n: 94, tests: "server.TestEditShowsWhatAColleagueChanged server.TestAPIWritesOncePerKey"},
	{n: 95, tests: "server.TestTheErasedStayAwayWhenDeliveredAgain tenants/privacy.TestTheErasedDoNotComeBackByThemselves"},
	{n: 96, tests: "server.TestAPIRateLimit server.TestExportsOfADay server.TestQuotas server.TestQuotasAtOnce tenants/imports.TestMemoryDoesNotGrow", apart: "labels, which nobody makes here, and stored files: those of messages are passed on and kept nowhere", times: "what one business does to the others' is measured by make bench"},
	{n: 97, tests: "server.TestAPIReadsParametersStrictly server.TestOddInputIsRefused server.TestOddValuesEverywhere tenants/imports.TestMemoryDoesNotGrow"},
	{n: 98, tests: "server.TestOddValuesEverywhere server.TestAPIReadsParametersStrictly", times: "that each is answered within half a second"},
	{n: 99, tests: "server.TestNothingIsSmuggledThroughAProxy server.TestOddRequestsOnTheWire", apart: "another proxy than Go's own, which every machine that runs the tests has: whoever puts one before the server has to try it there"},
	{n: 100, tests: "server.TestOddFieldNames"},
	{n: 101, tests: "server.TestNothingBesideTheTable"},
	{n: 102, tests: "server.TestHeadersOnEveryRoute server.TestHeadersOnEveryAnswer server.TestWhatTheServerItselfRefuses"},
	{n: 103, tests: "server.TestNobodyTakesASignedRequest", apart: "the product has no address that takes a signed_request"},
	{n: 104, tests: "server.TestAuditFindsWhatWasChanged server/cmd/pehchan.TestCommandsSetUpABusiness"},
}

// testsWritten are the names of all tests of the repository, with the folders they are in.
func testsWritten(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != ".." || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel("..", filepath.Dir(path))
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				found[filepath.ToSlash(folder)+"."+fn.Name.Name] = true
			}
		}

		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 300 {
		t.Fatalf("found %d tests, the walk is broken", len(found))
	}

	return found
}

// Every case of the attack list has its tests, or says why it has none.
func TestEveryAttackCaseHasItsRow(t *testing.T) {
	t.Parallel()
	written, seen := testsWritten(t), map[int]bool{}
	whole, timed, apart, partly, none := 0, 0, 0, 0, 0
	for _, c := range attackRegister {
		if seen[c.n] || c.n < 1 || c.n > attackCases {
			t.Errorf("case %d stands twice, or is none", c.n)
		}
		seen[c.n] = true
		switch {
		case (c.tests == "") == (c.why == ""), c.why != "" && c.partly+c.times+c.apart != "":
			t.Errorf("case %d: want tests, or else a reason", c.n)
		case c.why != "":
			none++
		case c.partly != "":
			partly++
		case c.times != "":
			timed++
		case c.apart != "":
			apart++
		default:
			whole++
		}
		for _, name := range strings.Fields(c.tests) {
			if !written[name] {
				t.Errorf("case %d names %s, which there is not", c.n, name)
			}
		}
	}
	for n := 1; n <= attackCases; n++ {
		if !seen[n] {
			t.Errorf("case %d has no row", n)
		}
	}
	t.Logf("%d cases shown whole, %d but for times and %d but for what there is nothing of; %d partly, %d not automated", whole, timed, apart, partly, none)
}

// Case 52, which cannot be told over HTTP.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"hooks.go": "subtle.ConstantTimeCompare(", "web/forms.go": "hmac.Equal(", "../tenants/whatsapp/signature.go": "hmac.Equal(",
	} {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(source), want) {
			t.Errorf("%s compares secrets without %s", path, strings.TrimSuffix(want, "("))
		}
	}
}

// Case 71: nothing is put into a page as it is.
func TestNothingRawInPages(t *testing.T) {
	t.Parallel()
	pages := 0
	err := filepath.WalkDir("../views", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".templ") {
			return err
		}
		source, err := os.ReadFile(path)
		pages++
		for _, raw := range []string{"templ.Raw", "templ.JSONString", "templ.JSUnsafe", "templ.JSExpression", "templ.SafeCSS", "templ.ComponentScript", "hx-on", "hx-vals=\"js:"} {
			if strings.Contains(string(source), raw) {
				t.Errorf("%s uses %s", path, raw)
			}
		}

		return err
	})
	if err != nil || pages < 30 {
		t.Errorf("read %d pages: %v", pages, err)
	}
}
