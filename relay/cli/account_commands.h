#pragma once

#include <string>

#include "policy/result.h"
#include "policy/secret.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"
#include "relay/queue/account.h"

namespace waxwing {

/// What is kept of a password that is set.
enum class PasswordUse {
  Hash,
  HashAndScram,  ///< and the keys of SCRAM, where the password is printable ASCII; else the output says so
};

/// Adds an account.
/// @param account  what it keeps of its password is made here
/// @param password  empty: none, for an account with a uid
/// @errors  Malformed: password, name, tenant or a sender pattern; Conflict: the name is taken; as AskRelay
[[nodiscard]] Result<void> add_account(const AskRelay& ask, const Account& account, const Secret& password,
                                       PasswordUse use, Output& output);

/// Changes the password of an account.
/// @errors  NotFound; otherwise as add_account()
[[nodiscard]] Result<void> change_password(const AskRelay& ask, const std::string& name, const Secret& password,
                                           PasswordUse use, Output& output);

/// Prints what [[account]] of the configuration file keeps of a password: two lines of it, or one where SCRAM is not for
/// this password.
/// @errors  Malformed: the password; Unavailable
[[nodiscard]] Result<void> print_password_hash(const Secret& password, Output& output);

/// Makes a token and prints it: the one time that anybody sees it.
/// @errors  NotFound; Unavailable; as AskRelay
[[nodiscard]] Result<void> add_token(const AskRelay& ask, const std::string& name, Output& output);
/// Makes all tokens of an account worthless.
/// @errors  as add_token()
[[nodiscard]] Result<void> revoke_tokens(const AskRelay& ask, const std::string& name, Output& output);

/// Prints all accounts.
[[nodiscard]] Result<void> list_accounts(const AskRelay& ask, Output& output);

/// Makes the certificates of an account those that are given; none: none logs in any more.
[[nodiscard]] Result<void> set_certificates(const AskRelay& ask, const std::string& name,
                                            const std::vector<std::string>& certificates, Output& output);

}  // namespace waxwing
