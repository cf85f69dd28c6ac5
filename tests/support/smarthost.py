"""A Postfix that takes mail for anybody from who logs in, as a provider's submission server does."""

import postfix_accounts


class Smarthost(postfix_accounts.PostfixWithAccounts):
    """@param accounts, mechanisms  as PostfixWithAccounts has them"""

    def __init__(self, folder, name, address, port, identity, accounts, mechanisms):
        super().__init__(folder, name, address, port, identity, accounts, mechanisms, {
            "smtpd_sasl_security_options": "noanonymous",
            "smtpd_tls_auth_only": "yes",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
            "virtual_mailbox_domains": "static:all",
        })

    def logins(self):
        """(mechanism, user) of each message that was taken, in order."""
        found = []
        for line in self.log().splitlines():
            if "sasl_username=" in line:
                found.append((line.split("sasl_method=")[1].split(",")[0], line.split("sasl_username=")[1].split("@")[0].split(",")[0]))
        return found
