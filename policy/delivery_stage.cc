#include "policy/delivery_stage.h"

namespace waxwing {

std::string_view delivery_stage_name(DeliveryStage stage) {
  switch (stage) {
    case DeliveryStage::None:
      return "none";
    case DeliveryStage::Connect:
      return "connect";
    case DeliveryStage::Greeting:
      return "greeting";
    case DeliveryStage::Ehlo:
      return "ehlo";
    case DeliveryStage::Tls:
      return "tls";
    case DeliveryStage::Login:
      return "login";
    case DeliveryStage::Mail:
      return "mail";
    case DeliveryStage::Rcpt:
      return "rcpt";
    case DeliveryStage::Data:
      return "data";
    case DeliveryStage::Content:
      return "content";
  }
  return "none";
}

}  // namespace waxwing
