#pragma once

#include <string>

#include "keys/secret.h"
#include "policy/result.h"
#include "relay/cli/ask_relay.h"
#include "relay/cli/output.h"
#include "relay/queue/account.h"

namespace waxwing {

/// Adds an account.
/// @param account  its password_hash is made here
/// @errors  Malformed: password, name, tenant or a sender pattern; Conflict: the name is taken; as AskRelay
[[nodiscard]] Result<void> add_account(const AskRelay& ask, const Account& account, const Secret& password,
                                       Output& output);

/// Changes the password of an account.
/// @errors  NotFound; otherwise as add_account()
[[nodiscard]] Result<void> change_password(const AskRelay& ask, const std::string& name, const Secret& password,
                                           Output& output);

/// Prints all accounts.
[[nodiscard]] Result<void> list_accounts(const AskRelay& ask, Output& output);

}  // namespace waxwing
