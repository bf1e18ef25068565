package clients;

import au.com.dius.pact.provider.junit5.HttpTestTarget;
import au.com.dius.pact.provider.junit5.PactVerificationContext;
import au.com.dius.pact.provider.junit5.PactVerificationInvocationContextProvider;
import au.com.dius.pact.provider.junitsupport.IgnoreNoPactsToVerify;
import au.com.dius.pact.provider.junitsupport.Provider;
import au.com.dius.pact.provider.junitsupport.loader.PactBroker;
import au.com.dius.pact.provider.junitsupport.loader.PactBrokerConsumerVersionSelectors;
import au.com.dius.pact.provider.junitsupport.loader.SelectorBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;

/** Verifies a running `catalog` against what the broker selects. Everything that differs comes as a system property. */
@Provider("catalog")
@PactBroker(
    enablePendingPacts = "${catalog.pending:true}",
    includeWipPactsSince = "${catalog.wip:}",
    providerBranch = "${pact.provider.branch:main}")
@IgnoreNoPactsToVerify
public class CatalogTest {
  @PactBrokerConsumerVersionSelectors
  public static SelectorBuilder selectors() {
    SelectorBuilder selectors = new SelectorBuilder().mainBranch().deployedOrReleased();
    String branch = System.getProperty("catalog.select", "");
    return branch.isEmpty() ? selectors : selectors.branch(branch);
  }

  @BeforeEach
  void target(PactVerificationContext context) {
    if (context != null) {
      context.setTarget(new HttpTestTarget("127.0.0.1", Integer.getInteger("catalog.port")));
    }
  }

  @TestTemplate
  @ExtendWith(PactVerificationInvocationContextProvider.class)
  void keeps(PactVerificationContext context) {
    if (context != null) {
      context.verifyInteraction();
    }
  }
}
