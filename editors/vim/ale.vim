" Vim with ALE: in vimrc, where ALE is loaded.
call ale#linter#Define('python', {
\   'name': 'pennyproof',
\   'lsp': 'stdio',
\   'executable': 'pennyproof',
\   'command': '%e serve',
\   'project_root': function('ale#python#FindProjectRoot'),
\})
let g:ale_linters = extend(get(g:, 'ale_linters', {}), {'python': ['pennyproof', 'ruff']})
" Vim opens no pages that a server asks for; the message says where they are.
let g:ale_lsp_show_message_severity = 'information'

" :Pennyproof runTests, :Pennyproof debug and so on. A fix that `debug` finds is taken from the menu of :ALECodeAction.
function! s:Pennyproof(name) abort
  let l:place = {'line': line('.') - 1, 'character': 0}
  let l:argument = {'uri': ale#path#ToFileURI(expand('%:p')), 'range': {'start': l:place, 'end': l:place}}
  if a:name is# 'debug'
    call extend(l:argument, {'preview': v:true, 'show': v:true})
  endif
  let l:call = {'command': 'pennyproof.' . a:name, 'arguments': [l:argument]}
  call ale#lsp_linter#SendRequest(bufnr(''), 'pennyproof', [0, 'workspace/executeCommand', l:call])
endfunction
function! s:Names(begun, line, at) abort
  return join(['runTests', 'debug', 'explain', 'showSpend', 'showLastRejections'], "\n")
endfunction
command! -nargs=1 -complete=custom,s:Names Pennyproof call s:Pennyproof(<q-args>)
