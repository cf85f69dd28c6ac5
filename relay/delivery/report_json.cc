#include "relay/delivery/report_json.h"

#include <nlohmann/json.hpp>

namespace waxwing {

using nlohmann::json;

BounceClass class_of(const RecipientOutcome& outcome) {
  return classify_bounce({outcome.status, outcome.remote_reply, outcome.stage});
}

std::string delivery_report_json(const DeliveryReport& report, std::size_t recipient) {
  json result;  // not by a list of pairs, which makes everything twice: each delivery comes here
  result["mx"] = report.mx_name;
  result["peer"] = report.peer;
  result["local_address"] = report.local_address;
  result["source"] = report.source;
  result["tls_level"] = tls_level_name(report.proven);
  result["tls_method"] = report.tls_method;
  result["route"] = report.route;
  result["tls"] = report.tls_summary;
  result["requirement"] = report.requirement_reason;
  result["reply"] = report.recipients.at(recipient).remote_reply;
  result["tls_failures"] = json::array();
  if (const RecipientOutcome& outcome = report.recipients.at(recipient);
      outcome.kind != RecipientOutcome::Kind::Delivered) {
    result["class"] = bounce_class_name(class_of(outcome));
    result["stage"] = delivery_stage_name(outcome.stage);
  }
  for (const TlsSessionResult& session : report.tls_results) {
    if (!session.failure) continue;
    result["tls_failures"].push_back({{"result_type", tls_result_type_name(session.failure->type)},
                                      {"mx", session.failure->receiving_mx},
                                      {"address", session.failure->receiving_ip},
                                      {"reason", session.failure->reason_code}});
  }
  // Texts of remote servers may hold any octets; what is not UTF-8 is replaced rather than refused.
  return result.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace waxwing
