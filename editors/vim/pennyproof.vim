" Vim with coc.nvim: keys and :Pennyproof for the server that coc-settings.json names. Source it from your vimrc.

" The menu of fixes and explanations at the cursor, and the page on what the tests in the file cost.
nmap <silent> <leader>pa <Plug>(coc-codeaction-cursor)
xmap <silent> <leader>pa <Plug>(coc-codeaction-selected)
nmap <silent> ]d <Plug>(coc-diagnostic-next)
nmap <silent> [d <Plug>(coc-diagnostic-prev)

function! s:Run(name) abort
  let l:uri = 'file://' . substitute(expand('%:p'), '[^A-Za-z0-9/._~-]',
        \ '\=join(map(range(len(submatch(0))), {_, i -> printf("%%%02X", char2nr(submatch(0)[i]))}), "")', 'g')
  let l:here = {'line': line('.') - 1, 'character': 0}
  let l:there = {'line': line('.') - 1, 'character': 999999}
  let l:argument = {'uri': l:uri, 'range': {'start': l:here, 'end': l:there}}
  call CocActionAsync('runCommand', 'pennyproof.' . a:name, l:argument)
endfunction

function! s:Names(begun, line, at) abort
  return join(['runTests', 'debug', 'explain', 'showSpend', 'showLastRejections'], "\n")
endfunction

command! -nargs=1 -complete=custom,s:Names Pennyproof call s:Run(<q-args>)
