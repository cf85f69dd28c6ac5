#include "signer/dkim_result.h"

namespace waxwing {

std::string_view dkim_result_name(DkimResult result) {
  switch (result) {
    case DkimResult::None:
      return "none";
    case DkimResult::Pass:
      return "pass";
    case DkimResult::Fail:
      return "fail";
    case DkimResult::Policy:
      return "policy";
    case DkimResult::Neutral:
      return "neutral";
    case DkimResult::TempError:
      return "temperror";
    case DkimResult::PermError:
      break;
  }
  return "permerror";
}

}  // namespace waxwing
