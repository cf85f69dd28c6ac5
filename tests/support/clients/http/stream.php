<?php
$context = stream_context_create(['http' => ['method' => 'POST', 'content' => getenv('JSON'),
    'header' => ['Content-Type: application/json', 'Authorization: Bearer ' . getenv('TOKEN')]]]);
$answer = file_get_contents(getenv('URL'), false, $context);
if ($answer === false) exit(1);
echo json_decode($answer)->id, "\n";
